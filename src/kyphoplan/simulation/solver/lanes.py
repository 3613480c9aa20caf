"""One row of voxels at machine speed: the element's mathematics on vector registers.

The compiler cannot prove that a dozen buffers do not overlap, so it would do one voxel at a time.
Here the vector instructions are written out instead: `Lanes` stands for a register of numbers, so
that `element.modal_forces`, written once, runs on 4 or 8 voxels at a time.

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

LANES = 8  # node rows are padded to a multiple of this many nodes
CROWDED = 64  # [1] rows of a multiple of this many nodes share too few lines of the cache
ROWS_AHEAD = 2  # [1] rows that are asked for before they are needed
SECOND_CACHE = 2  # [1] they are to wait in it, in the compiler's numbering
FLAGS = ("nnan", "ninf", "nsz", "contract")


class Finish(IntEnum):
    """What is done with the force of a node row."""

    NOTHING = 0  # only hand it on to the next plane
    FORCE = 1  # out = A u
    APPLY = 2  # out = A u at free components, else 0; returns u . out
    RESIDUAL = 3  # out = b - A u at free components, else 0
    SMOOTH = 4  # step = c1 step + c2 (b - A u) / diagonal at free components; u += step


def padded(nodes: int) -> int:
    """Return the length of a node row in memory.

    Examples
    --------
    >>> [padded(n) for n in (1, 65, 128)]
    [8, 72, 136]
    """
    length = -(-nodes // LANES) * LANES
    return length + LANES if length % CROWDED == 0 else length


class Lanes:
    """A vector register in the code being built."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def _with(self, other: "Lanes | float") -> Any:
        return other.value if isinstance(other, Lanes) else splat(self.value.type, other)

    def __add__(self, other: "Lanes | float") -> "Lanes":
        """Return the sum, lane by lane."""
        return Lanes(self.builder, self.builder.fadd(self.value, self._with(other), flags=FLAGS))

    def __sub__(self, other: "Lanes | float") -> "Lanes":
        """Return the difference, lane by lane."""
        return Lanes(self.builder, self.builder.fsub(self.value, self._with(other), flags=FLAGS))

    def __mul__(self, other: "Lanes | float") -> "Lanes":
        """Return the product, lane by lane."""
        return Lanes(self.builder, self.builder.fmul(self.value, self._with(other), flags=FLAGS))


def splat(kind: Any, number: float) -> Any:
    """Return a constant register with the same number in all lanes."""
    return ir.Constant(kind, [ir.Constant(kind.element, float(number))] * kind.count)


class Memory:
    """Loads and stores of registers at addresses given as integers."""

    def __init__(self, builder: Any, real: Any, lanes: int) -> None:
        self.builder, self.real, self.lanes = builder, real, lanes
        self.kind = ir.VectorType(real, lanes)
        self.size = 4 if isinstance(real, ir.FloatType) else 8

    def _at(self, address: Any, index: Any, size: int, kind: Any) -> Any:
        offset = self.builder.mul(index, ir.Constant(index.type, size))
        where = self.builder.add(address, offset)
        return self.builder.inttoptr(where, kind.as_pointer())

    def load(self, address: Any, index: Any) -> Lanes:
        """Read a register of reals at an index [reals] behind an address [bytes]."""
        pointer = self._at(address, index, self.size, self.kind)
        return Lanes(self.builder, self.builder.load(pointer, align=self.size))

    def block(self, address: Any, index: Any, count: int) -> Any:
        """Return the address of a group of registers that belongs to an index."""
        step = ir.Constant(index.type, count * self.size)
        return self.builder.add(address, self.builder.mul(index, step))

    def load_at(self, block: Any, number: int) -> Lanes:
        """Read a register of a group."""
        return self.load(block, ir.Constant(block.type, number * self.lanes))

    def store_at(self, value: Lanes, block: Any, number: int) -> None:
        """Write a register of a group."""
        self.store(value, block, ir.Constant(block.type, number * self.lanes))

    def load_single(self, address: Any, index: Any) -> Lanes:
        """Read single-precision numbers, widened if the reals are double."""
        kind = ir.VectorType(ir.FloatType(), self.lanes)
        value = self.builder.load(self._at(address, index, 4, kind), align=4)
        return Lanes(self.builder, value if self.size == 4 else self._widen(value))  # noqa: PLR2004

    def _widen(self, value: Any) -> Any:
        return self.builder.fpext(value, self.kind)

    def ask(self, address: Any, index: Any, size: int, *, write: bool) -> None:
        """Ask for what lies at an index of numbers of a size, before it is read or written."""
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        prefetch = self.builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        offset = self.builder.mul(index, ir.Constant(index.type, size))
        where = self.builder.inttoptr(self.builder.add(address, offset), byte)
        hints = (int(write), SECOND_CACHE, 1)  # the last: data, not code
        self.builder.call(prefetch, [where, *(ir.Constant(word, hint) for hint in hints)])

    def store(self, value: Lanes, address: Any, index: Any) -> None:
        """Write a register."""
        pointer = self._at(address, index, self.size, self.kind)
        self.builder.store(value.value, pointer, align=self.size)

    def only_free(self, value: Lanes, bits: Any, component: int) -> Lanes:
        """Keep the lanes whose component is free, zero the others."""
        bit = ir.Constant(bits.type, [ir.Constant(bits.type.element, 1 << component)] * self.lanes)
        zero = ir.Constant(bits.type, [ir.Constant(bits.type.element, 0)] * self.lanes)
        free = self.builder.icmp_unsigned("!=", self.builder.and_(bits, bit), zero)
        chosen = self.builder.select(free, value.value, splat(self.kind, 0.0))
        return Lanes(self.builder, chosen)

    def load_bits(self, address: Any, index: Any) -> Any:
        """Read one byte per lane, widened to the width of a real."""
        kind = ir.VectorType(ir.IntType(8), self.lanes)
        wide = ir.VectorType(ir.IntType(8 * self.size), self.lanes)
        return self.builder.zext(
            self.builder.load(self._at(address, index, 1, kind), align=1), wide
        )


def _pair(a: Lanes, b: Lanes) -> tuple[Lanes, Lanes]:
    return a + b, b - a


def _across(builder: Any, one: Any, other: Any, lanes: int, first: int) -> Lanes:
    """Return one register out of two neighbours, from the place `first` of the lower one on."""
    order = ir.Constant(
        ir.VectorType(ir.IntType(32), lanes),
        [ir.Constant(ir.IntType(32), first + k) for k in range(lanes)],
    )
    return Lanes(builder, builder.shuffle_vector(one, other, order))


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
        results += _pair(Lanes(builder, near), _across(builder, near, after, lanes, 1))
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


def _loop(
    builder: Any, begin: Any, end: Any, step: int, starts: list[Any], body: Any
) -> list[Any]:
    """Count from begin to end, carrying values from turn to turn; return the last ones."""
    entry = builder.block
    head, inside, done = (builder.append_basic_block(n) for n in ("head", "inside", "done"))
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(begin.type)
    k.add_incoming(begin, entry)
    carried = [builder.phi(start.type) for start in starts]
    for phi, start in zip(carried, starts, strict=True):
        phi.add_incoming(start, entry)
    builder.cbranch(builder.icmp_signed("<", k, end), inside, done)
    builder.position_at_end(inside)
    results = body(k, carried)
    k.add_incoming(builder.add(k, ir.Constant(k.type, step)), builder.block)
    for phi, result in zip(carried, results, strict=True):
        phi.add_incoming(result, builder.block)
    builder.branch(head)
    builder.position_at_end(done)
    return carried


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
            at[name] = Lanes(builder, _broadcast(memory, number))
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
                finished.append(low - high + _across(builder, behind, far.value, lanes, lanes - 1))
                results.append(far.value)
            product = _finish(memory, finish, at, k, finished)
            if product is not None:
                results.append((Lanes(builder, carried[3]) + product).value)
            return results

        starts = [splat(memory.kind, 0.0)] * (4 if finish is Finish.APPLY else 3)
        end = _loop(builder, first, last, lanes, starts, body)
        return _sum_lanes(builder, end[3], lanes) if finish is Finish.APPLY else _nothing()

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

        _loop(builder, first, last, lanes, _along_i(memory, at, first), body)
        return _nothing()

    return generate


def _nothing() -> Any:
    return ir.Constant(ir.DoubleType(), 0.0)


def _sum_lanes(builder: Any, register: Any, lanes: int) -> Any:
    total: Any = _nothing()
    for lane in range(lanes):
        value = builder.extract_element(register, ir.Constant(ir.IntType(32), lane))
        if not isinstance(value.type, ir.DoubleType):
            value = builder.fpext(value, ir.DoubleType())
        total = builder.fadd(total, value)
    return total


def _broadcast(memory: Memory, number: Any) -> Any:
    builder = memory.builder
    if memory.size == 4:  # noqa: PLR2004 - single precision
        number = builder.fptrunc(number, ir.FloatType())
    register = splat(memory.kind, 0.0)
    for lane in range(memory.lanes):
        register = builder.insert_element(register, number, ir.Constant(ir.IntType(32), lane))
    return register


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
