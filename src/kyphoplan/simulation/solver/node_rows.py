"""One row of nodes at machine speed: the element's mathematics, several voxels at a time.

A node row is worked on in two turns. The first takes sums and differences of the next row along i
and k, and keeps them for this turn and the next. The second takes those along j, turns them into
modal forces, takes the same sums and differences back, and does what is wanted with the finished
force of the node row (`Finish`), while it is still in a register. In one turn, the chain from the
first sum to the finished force would be too long for the processor to work on two registers at
once. What is kept or handed on lies register by register, so that one address serves all.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from kyphoplan.simulation.solver import element
from kyphoplan.simulation.solver.lanes import (
    LANES,
    Lanes,
    Memory,
    across,
    broadcast,
    loop,
    nothing,
    splat,
    sum_lanes,
)

ROWS_AHEAD = 2  # [1] rows that are asked for before they are needed


class Finish(IntEnum):
    """What is done with the force of a node row."""

    NOTHING = 0  # only hand it on to the next plane
    FORCE = 1  # out = A u
    APPLY = 2  # out = A u at free components, else 0; returns u . out
    RESIDUAL = 3  # out = b - A u at free components, else 0
    SMOOTH = 4  # step = c1 step + c2 (b - A u) / diagonal at free components; u += step


def _pair(a: Lanes, b: Lanes) -> tuple[Lanes, Lanes]:
    return a + b, b - a


def _along_i(memory: Memory, at: dict[str, Any], k: Any) -> list[Any]:
    """Return sums and differences along i of the next row's nodes, per component."""
    builder, results = memory.builder, []
    for component in range(3):
        shift = builder.mul(at["plane"], ir.Constant(k.type, component))
        low, high = (builder.add(at[name], shift) for name in ("lower", "upper"))
        results += [each.value for each in _pair(memory.load(low, k), memory.load(high, k))]
    return results


def _along_k(builder: Any, here: list[Any], ahead: list[Any], lanes: int) -> list[Lanes]:
    """Return sums and differences along k of those along i: 4 per component."""
    results: list[Lanes] = []
    for near, after in zip(here, ahead, strict=True):
        results += _pair(Lanes(builder, near), across(builder, near, after, lanes, 1))
    return results


def _modes(memory: Memory, before: Any, after: Any) -> list[list[Lanes]]:
    """Return sums and differences of the voxels between two kept node rows."""
    components = []
    for component in range(3):
        modes: list[Any] = [None] * 8
        for place in (0, 1, 4, 5):
            index = 4 * component + (place & 1) + (place >> 1)
            here, there = memory.load_at(before, index), memory.load_at(after, index)
            modes[place], modes[place + 2] = _pair(here, there)
        components.append(modes)
    return components


def _spread(
    memory: Memory, carry: Any, held: Any, forces: list[Any], component: int
) -> list[Lanes]:
    """Hand a voxel's modal forces to its four node rows; return what the finished row has now.

    The sums and differences along k stay: they are undone once, when the row is finished.
    """
    finished = []
    for along_k in range(2):
        totals = []
        for along_i in range(2):
            place, index = 4 * along_i + along_k, 4 * component + 2 * along_i + along_k
            one, other = forces[place], forces[place + 2]
            before = memory.load_at(carry, index)
            totals.append(before - other if one is None else before + one - other)
            memory.store_at(other if one is None else one + other, carry, index)
        index = 2 * component + along_k
        finished.append(memory.load_at(held, index) + totals[0] - totals[1])
        memory.store_at(totals[0] + totals[1], held, index)
    return finished


def _finish(memory: Memory, kind: Finish, at: dict[str, Any], k: Any, forces: list[Lanes]) -> Any:
    """Do what is wanted with the finished forces; return the register of u . out, or None."""
    if kind is Finish.NOTHING:
        return None
    builder = memory.builder
    bits = None if kind is Finish.FORCE else memory.load_bits(at["free"], k)
    scale: Any = None
    if kind is Finish.SMOOTH:
        scale = memory.load_single(at["inverse"], k) * at["c2"]
    product = None
    for component, force in enumerate(forces):
        shift = builder.mul(at["plane"], ir.Constant(k.type, component))
        u, b, out = (builder.add(at[name], shift) for name in ("u", "b", "out"))
        if kind is Finish.FORCE:
            memory.store(force, out, k)
        elif kind is Finish.APPLY:
            kept = memory.only_free(force, bits, component)
            memory.store(kept, out, k)
            term = memory.load(u, k) * kept
            product = term if product is None else product + term
        elif kind is Finish.RESIDUAL:
            memory.store(memory.only_free(memory.load(b, k) - force, bits, component), out, k)
        else:
            change = memory.only_free((memory.load(b, k) - force) * scale, bits, component)
            step = memory.load(out, k) * at["c1"] + change
            memory.store(step, out, k)
            memory.store(memory.load(u, k) + step, u, k)
    return product


def _ask_ahead(memory: Memory, kind: Finish, at: dict[str, Any], k: Any) -> None:
    """Ask the main memory for the rows that come next.

    The rows of one component are too short for the machine to see by itself where they lead.
    """
    builder = memory.builder
    one = builder.udiv(at["plane"], ir.Constant(k.type, memory.size))
    names = {Finish.RESIDUAL: ("b", "out"), Finish.SMOOTH: ("b", "out"), Finish.NOTHING: ()}
    for component in range(3):
        shift = builder.mul(one, ir.Constant(k.type, 3 * ROWS_AHEAD + component))
        for name in names.get(kind, ("out",)):
            memory.ask(at[name], builder.add(k, shift), memory.size, write=name == "out")
    place = builder.add(k, builder.mul(one, ir.Constant(k.type, ROWS_AHEAD)))
    for name in ("lam", "mu", "inverse") if kind is Finish.SMOOTH else ("lam", "mu"):
        memory.ask(at[name], place, 4, write=False)


def _ask_for_next(memory: Memory, at: dict[str, Any], k: Any) -> None:
    """Ask the main memory for the displacement of the rows that come next."""
    builder = memory.builder
    one = builder.udiv(at["plane"], ir.Constant(k.type, memory.size))
    for component in range(3):
        shift = builder.mul(one, ir.Constant(k.type, 3 * ROWS_AHEAD + component))
        memory.ask(at["upper"], builder.add(k, shift), memory.size, write=False)


ROW_ADDRESSES = (
    *("before", "after", "carry", "held"),
    *("lam", "mu", "free", "inverse", "u", "b", "out"),
)


def _row_code(real: Any, lanes: int, finish: Finish) -> Callable[..., Any]:
    """Return the generator of the code of one node row (see the module's text)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        addresses, plane, span, weights = args
        memory = Memory(builder, real, lanes)
        at = dict(zip(ROW_ADDRESSES, cgutils.unpack_tuple(builder, addresses), strict=True))
        at["plane"] = plane
        for name, number in zip(("c1", "c2"), cgutils.unpack_tuple(builder, weights), strict=True):
            at[name] = Lanes(builder, broadcast(memory, number))
        first, last = cgutils.unpack_tuple(builder, span)

        def body(k: Any, carried: list[Any]) -> list[Any]:
            _ask_ahead(memory, finish, at, k)
            before, after, carry = (memory.block(at[name], k, 12) for name in ROW_ADDRESSES[:3])
            held = memory.block(at["held"], k, 6)
            modes = _modes(memory, before, after)
            lam, mu = memory.load_single(at["lam"], k), memory.load_single(at["mu"], k)
            forces = element.modal_forces(modes[0], modes[1], modes[2], lam, mu)
            results, finished = [], []
            for component, behind in enumerate(carried[:3]):
                low, high = _spread(memory, carry, held, forces[component], component)
                far = low + high
                finished.append(low - high + across(builder, behind, far.value, lanes, lanes - 1))
                results.append(far.value)
            product = _finish(memory, finish, at, k, finished)
            if product is not None:
                results.append((Lanes(builder, carried[3]) + product).value)
            return results

        starts = [splat(memory.kind, 0.0)] * (4 if finish is Finish.APPLY else 3)
        end = loop(builder, first, last, lanes, starts, body)
        return sum_lanes(builder, end[3], lanes) if finish is Finish.APPLY else nothing()

    return generate


def _first_code(real: Any, lanes: int) -> Callable[..., Any]:
    """Return the generator of the sums and differences along i and k of a node row."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        addresses, plane, span = args
        memory = Memory(builder, real, lanes)
        at = dict(
            zip(("lower", "upper", "rows"), cgutils.unpack_tuple(builder, addresses), strict=True)
        )
        at["plane"] = plane
        first, last = cgutils.unpack_tuple(builder, span)

        def body(k: Any, carried: list[Any]) -> list[Any]:
            _ask_for_next(memory, at, k)
            ahead = _along_i(memory, at, builder.add(k, ir.Constant(k.type, lanes)))
            block = memory.block(at["rows"], k, 12)
            for index, value in enumerate(_along_k(builder, carried, ahead, lanes)):
                memory.store_at(value, block, index)
            return ahead

        loop(builder, first, last, lanes, _along_i(memory, at, first), body)
        return nothing()

    return generate


def _row_function(real: Any, lanes: int, finish: Finish) -> Any:
    code = _row_code(real, lanes, finish)

    @intrinsic(prefer_literal=False)  # type: ignore[untyped-decorator, unused-ignore]
    def node_row(typing: Any, addresses: Any, plane: Any, span: Any, weights: Any) -> Any:
        return types.float64(addresses, plane, span, weights), code

    return node_row


def _first_function(real: Any, lanes: int) -> Any:
    code = _first_code(real, lanes)

    @intrinsic(prefer_literal=False)  # type: ignore[untyped-decorator, unused-ignore]
    def first_row(typing: Any, addresses: Any, plane: Any, span: Any) -> Any:
        return types.float64(addresses, plane, span), code

    return first_row


SINGLE, DOUBLE = (ir.FloatType(), LANES), (ir.DoubleType(), LANES // 2)
first_single = _first_function(*SINGLE)
first_double = _first_function(*DOUBLE)
nothing_single = _row_function(*SINGLE, Finish.NOTHING)
nothing_double = _row_function(*DOUBLE, Finish.NOTHING)
force_double = _row_function(*DOUBLE, Finish.FORCE)
apply_double = _row_function(*DOUBLE, Finish.APPLY)
apply_single = _row_function(*SINGLE, Finish.APPLY)
residual_single = _row_function(*SINGLE, Finish.RESIDUAL)
smooth_single = _row_function(*SINGLE, Finish.SMOOTH)
