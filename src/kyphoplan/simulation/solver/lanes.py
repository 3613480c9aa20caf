"""Vector registers: several numbers at a time, written out for the compiler.

The compiler cannot prove that a dozen buffers do not overlap, so it would do one voxel at a time.
Here the vector instructions are written out instead: `Lanes` stands for a register of numbers, so
that `element.modal_forces`, written once, runs on 4 or 8 voxels at a time (`node_rows`).
"""

from typing import Any

from llvmlite import ir

LANES = 8  # node rows are padded to a multiple of this many nodes
CROWDED = 64  # [1] rows of a multiple of this many nodes share too few lines of the cache
SECOND_CACHE = 2  # [1] what is asked for ahead is to wait in it, in the compiler's numbering
FLAGS = ("nnan", "ninf", "nsz", "contract")


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


def across(builder: Any, one: Any, other: Any, lanes: int, first: int) -> Lanes:
    """Return one register out of two neighbours, from the place `first` of the lower one on."""
    order = ir.Constant(
        ir.VectorType(ir.IntType(32), lanes),
        [ir.Constant(ir.IntType(32), first + k) for k in range(lanes)],
    )
    return Lanes(builder, builder.shuffle_vector(one, other, order))


def loop(builder: Any, begin: Any, end: Any, step: int, starts: list[Any], body: Any) -> list[Any]:
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


def nothing() -> Any:
    """Return the number 0.0."""
    return ir.Constant(ir.DoubleType(), 0.0)


def sum_lanes(builder: Any, register: Any, lanes: int) -> Any:
    """Return the sum of a register's numbers, in double precision."""
    total: Any = nothing()
    for lane in range(lanes):
        value = builder.extract_element(register, ir.Constant(ir.IntType(32), lane))
        if not isinstance(value.type, ir.DoubleType):
            value = builder.fpext(value, ir.DoubleType())
        total = builder.fadd(total, value)
    return total


def broadcast(memory: Memory, number: Any) -> Any:
    """Return a register with a double number in all lanes, in the memory's precision."""
    builder = memory.builder
    if memory.size == 4:  # noqa: PLR2004 - single precision
        number = builder.fptrunc(number, ir.FloatType())
    register = splat(memory.kind, 0.0)
    for lane in range(memory.lanes):
        register = builder.insert_element(register, number, ir.Constant(ir.IntType(32), lane))
    return register
