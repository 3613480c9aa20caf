"""A found spine in another place: every noun moved by the same rigid motion."""

from dataclasses import replace

from kyphoplan.case.spine import Body, Canal, Endplate, Pedicle, Spine, Vertebra
from kyphoplan.case.volume import Volume
from kyphoplan.geometry import Frame, Motion


def moved(spine: Spine, motion: Motion) -> Spine:
    """Return the spine moved; its figures stay, its places and directions go along."""
    return replace(spine, vertebrae=tuple(_vertebra(v, motion) for v in spine.vertebrae))


def _vertebra(v: Vertebra, motion: Motion) -> Vertebra:
    return replace(
        v,
        frame=v.frame and _frame(v.frame, motion),
        parts=v.parts and _volume(v.parts, motion),
        surface=v.surface and _volume(v.surface, motion),
        body=v.body and _body(v.body, motion),
        canal=v.canal and _canal(v.canal, motion),
        left_pedicle=v.left_pedicle and _pedicle(v.left_pedicle, motion),
        right_pedicle=v.right_pedicle and _pedicle(v.right_pedicle, motion),
    )


def _frame(frame: Frame, motion: Motion) -> Frame:
    return Frame(origin_mm=motion.points(frame.origin_mm), axes=motion.directions(frame.axes))


def _volume(volume: Volume, motion: Motion) -> Volume:
    return Volume(volume.voxels, motion.affine(volume.affine))


def _body(body: Body, motion: Motion) -> Body:
    return replace(
        body,
        superior=_endplate(body.superior, motion),
        inferior=_endplate(body.inferior, motion),
        anterior_wall_mm=motion.points(body.anterior_wall_mm),
        posterior_wall_mm=motion.points(body.posterior_wall_mm),
    )


def _endplate(endplate: Endplate, motion: Motion) -> Endplate:
    return replace(
        endplate,
        points_mm=motion.points(endplate.points_mm),
        normal=motion.directions(endplate.normal),
        anterior_mm=motion.points(endplate.anterior_mm),
        middle_mm=motion.points(endplate.middle_mm),
        posterior_mm=motion.points(endplate.posterior_mm),
        curve_mm=motion.points(endplate.curve_mm),
    )


def _canal(canal: Canal, motion: Motion) -> Canal:
    return replace(
        canal,
        centre_mm=motion.points(canal.centre_mm),
        axis=motion.directions(canal.axis),
        outline_mm=motion.points(canal.outline_mm),
        line_mm=motion.points(canal.line_mm),
    )


def _pedicle(pedicle: Pedicle, motion: Motion) -> Pedicle:
    return replace(
        pedicle,
        isthmus_mm=motion.points(pedicle.isthmus_mm),
        axis=motion.directions(pedicle.axis),
        outline_mm=motion.points(pedicle.outline_mm),
    )
