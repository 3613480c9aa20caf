"""The plan to turn and to slice: what is shown (`scene`), and the HTML that shows it."""

from kyphoplan.viewer.page import CONTENT_POLICY, page_fragment
from kyphoplan.viewer.scene import Kind, Mesh, Place, Scene, scene

__all__ = ["CONTENT_POLICY", "Kind", "Mesh", "Place", "Scene", "page_fragment", "scene"]
