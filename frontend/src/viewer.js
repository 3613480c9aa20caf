// The interactive viewer of one report: slices with CT, levels and devices, and a solid view.
// Everything it shows stands in the page itself; it asks no network. All lengths are RAS mm.
import { cmapper, MULTIPLANAR_TYPE, Niivue, NVImage, NVMesh, SHOW_RENDER, SLICE_TYPE } from "@niivue/niivue"

const VIEWS = { front: [180, 10], behind: [0, 10], left: [90, 10], right: [270, 10], above: [0, 89] }
const DARK = [0.043, 0.055, 0.071, 1]
const TURN_DEG = 10
const LEVEL_OPACITY = 0.25
const SOLID_ZOOM = 1.2
const STEPS = {
  ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0],
  PageUp: [0, 0, 1], PageDown: [0, 0, -1],
}
const TURNS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

function solids(scene, gl) {
  return scene.meshes.map((m) => {
    const points = new Float32Array(bytes(m.points).buffer)
    const triangles = new Uint32Array(bytes(m.triangles).buffer)
    return new NVMesh(points, triangles, m.name, new Uint8Array([...m.rgb, 255]), m.opacity, true, gl)
  })
}

function levelColours(levels) {
  const channel = (k) => [0, ...levels.map((level) => level.rgb[k])]
  return cmapper.makeLabelLut({
    R: channel(0), G: channel(1), B: channel(2), A: [0, ...levels.map(() => 255)],
    I: [0, ...levels.map((_, k) => k + 1)], labels: ["", ...levels.map((level) => level.name)],
  })
}

async function open(canvas, options) {
  const view = new Niivue({
    backColor: DARK, dragAndDropEnabled: false, isRadiologicalConvention: true, logLevel: "error",
    loadingText: "", crosshairColor: [0.94, 0.89, 0.26, 0.8], ...options,
  })
  view.keyDownListener = view.keyUpListener = () => {} // the page's own keys below, no hidden ones
  await view.attachToCanvas(canvas)
  return view
}

async function openSlices(canvas, scene) {
  const view = await open(canvas, {
    isOrientationTextVisible: true, showAllOrientationMarkers: true, isCornerOrientationText: false,
    meshThicknessOn2D: 2, multiplanarShowRender: SHOW_RENDER.NEVER, crosshairWidth: 0.5,
    isColorbar: false, isOrientCube: false, multiplanarPadPixels: 6,
    multiplanarLayout: MULTIPLANAR_TYPE.ROW, multiplanarEqualSize: true,
  })
  view.setSliceType(SLICE_TYPE.MULTIPLANAR)
  const solid = scene.meshes.filter((m) => m.kind !== "vertebra")
  for (const mesh of solids({ meshes: solid }, view.gl)) view.addMesh(mesh) // before any volume
  if (scene.ct) {
    const [low, high] = scene.window_hu
    view.addVolume(await NVImage.loadFromBase64({
      base64: scene.ct, name: "ct.nii.gz", colormap: "gray", cal_min: low, cal_max: high,
    }))
  }
  view.addVolume(await NVImage.loadFromBase64({
    base64: scene.labels, name: "levels.nii.gz", colormapLabel: levelColours(scene.levels),
    opacity: scene.ct ? LEVEL_OPACITY : 1,
  }))
  return view
}

async function openSolid(canvas, scene) {
  const view = await open(canvas, {
    isOrientCube: true, show3Dcrosshair: false, isColorbar: false, meshXRay: 0.15,
  })
  view.setSliceType(SLICE_TYPE.RENDER)
  view.setScale(SOLID_ZOOM)
  for (const mesh of solids(scene, view.gl)) view.addMesh(mesh)
  return view
}

function goTo(view, point) {
  view.scene.crosshairPos = view.mm2frac(point)
  view.createOnLocationChange()
  view.drawScene()
}

function onKeys(canvas, moves, act) {
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key]
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    act(move)
  })
}

function connect(root, slices, solid, scene) {
  const look = ([azimuth, elevation]) => solid.setRenderAzimuthElevation(azimuth, elevation)
  onKeys(slices.canvas, STEPS, (step) => slices.moveCrosshairInVox(...step))
  onKeys(solid.canvas, TURNS, ([a, e]) => look([
    solid.scene.renderAzimuth + TURN_DEG * a,
    Math.max(-90, Math.min(90, solid.scene.renderElevation + TURN_DEG * e)),
  ]))
  for (const button of root.querySelectorAll("button[data-goto]")) {
    button.addEventListener("click", () => goTo(slices, scene.places[button.dataset.goto].at))
  }
  for (const button of root.querySelectorAll("button[data-look]")) {
    button.addEventListener("click", () => look(VIEWS[button.dataset.look]))
  }
  root.querySelector("input[data-show=levels]").addEventListener("change", (event) => {
    slices.setOpacity(slices.volumes.length - 1, event.target.checked ? LEVEL_OPACITY : 0)
  })
  root.querySelector("input[data-show=bones]").addEventListener("change", (event) => {
    scene.meshes.forEach((m, i) => {
      if (m.kind === "vertebra") solid.setMeshProperty(solid.meshes[i].id, "visible", event.target.checked)
    })
  })
  look(VIEWS.behind)
  if (scene.places.length) goTo(slices, scene.places[1].at) // the first tip; entries come before tips
}

async function start(root) {
  const status = root.querySelector("[role=status]")
  try {
    const scene = JSON.parse(root.querySelector("script[type='application/json']").textContent)
    const slices = await openSlices(root.querySelector("canvas.slices"), scene)
    const solid = await openSolid(root.querySelector("canvas.solid"), scene)
    connect(root, slices, solid, scene)
    root.dataset.viewer = "ready"
    status.textContent = ""
  } catch (error) {
    root.dataset.viewer = "failed"
    status.textContent = "The interactive viewer could not start (it needs WebGL 2): "
      + `the pictures above show the same plan. ${error.message}`
  }
}

for (const root of document.querySelectorAll("section.viewer")) start(root)
