"""The inner loops: an adaptive binary range coder and the models that predict its bits.

All arithmetic is on integers, so every machine decodes alike. FORMAT.md specifies each loop. One
loop both encodes and decodes, so the two cannot diverge. All loops are in one file, since numba's
disk cache notices changes only in a function's own file.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

LOW, RANGE, CACHE, PENDING, POSITION, CODE, PAST_END, DECODING, STARTED = range(9)
"""Indices into the array `coder`; `PENDING` counts bytes that await a possible carry."""

ONE = 1 << 32
"""The probability 1 as a slot stores it: slots hold the probability of a 1 bit, in 32 bits."""

UNTOUCHED = -1

MAX_PAST_END = 4
"""Zeros a decoder may read past the end: the encoder omits at most as many."""

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile a function with numba at its first call, cached on disk if possible."""
    try:
        return cast(Kernel, njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # no writable cache folder
        return cast(Kernel, njit(error_model="numpy")(function))


@compiled
def _release(coder: Any, buffer: Any) -> None:
    """Write the held-back bytes, plus the carry in `low`, if any."""
    carry = coder[LOW] >> 32
    if coder[STARTED]:
        buffer[coder[POSITION]] = (coder[CACHE] + carry) & 0xFF
        coder[POSITION] += 1
    for _ in range(coder[PENDING]):
        buffer[coder[POSITION]] = (0xFF + carry) & 0xFF
        coder[POSITION] += 1
    coder[PENDING] = 0


@compiled
def _shift(coder: Any, buffer: Any) -> None:
    """Shift out the highest byte of `low`, holding back bytes a carry may still change."""
    low = coder[LOW]
    if low < 0xFF000000 or low >= 1 << 32:
        _release(coder, buffer)
        coder[STARTED] = 1
        coder[CACHE] = (low >> 24) & 0xFF
    else:
        coder[PENDING] += 1
    coder[LOW] = (low & 0x00FFFFFF) << 8


@compiled
def _fetch(coder: Any, buffer: Any) -> None:
    """Read the next byte into `code`."""
    byte = 0
    if coder[POSITION] < buffer.size:
        byte = int(buffer[coder[POSITION]])
        coder[POSITION] += 1
    else:
        coder[PAST_END] += 1
    coder[CODE] = ((coder[CODE] & 0x00FFFFFF) << 8) | byte


@compiled
def code_bit(coder: Any, buffer: Any, p: int, bit: int) -> int:
    """Code and return one bit that is 1 with probability p / 65536."""
    bound = (coder[RANGE] * p) >> 16
    if coder[DECODING]:
        bit = 1 if coder[CODE] < bound else 0
    if bit:
        coder[RANGE] = bound
    else:
        coder[RANGE] -= bound
        if coder[DECODING]:
            coder[CODE] -= bound
        else:
            coder[LOW] += bound
    while coder[RANGE] < 1 << 24:
        coder[RANGE] <<= 8
        if coder[DECODING]:
            _fetch(coder, buffer)
        else:
            _shift(coder, buffer)
    return bit


@compiled
def start(coder: Any, buffer: Any) -> None:
    """Read the first four bytes."""
    for _ in range(4):
        _fetch(coder, buffer)


@compiled
def finish(coder: Any, buffer: Any) -> None:
    """Write the fewest bytes that identify the final interval."""
    for count in range(5):
        mask = (1 << (32 - 8 * count)) - 1
        value = (coder[LOW] + mask) & ~mask
        if value < coder[LOW] + coder[RANGE]:
            coder[LOW] = value
            for _ in range(count):
                _shift(coder, buffer)
            _release(coder, buffer)
            return


@compiled
def _learn(slots: Any, at: int, bit: int, limit: int) -> None:
    """Move a slot's probability toward the bit by 1 / count."""
    count = slots[at, 1]
    # Integer division: both are below 2**33, so the floor of the float64 quotient is exact on every
    # machine, and twice as fast.
    slots[at, 0] += int(np.floor(((bit << 32) - bit - slots[at, 0]) / count))
    if count < limit:
        slots[at, 1] = count + 1


@compiled
def slot_bit(coder: Any, buffer: Any, slots: Any, at: int, limit: int, bit: int) -> int:
    """Code a bit with one slot's probability; the slot learns it."""
    p = min(max(slots[at, 0] >> 16, 1), 65535)
    bit = code_bit(coder, buffer, p, bit)
    _learn(slots, at, bit, limit)
    return bit


@compiled
def mixed_bit(
    coder: Any, buffer: Any, tables: Any, slots: Any, context: Any, limits: Any, weights: Any,
    rate: int, bit: int,
) -> int:  # fmt: skip
    """Code a bit with the mixed probabilities of several slots; slots and weights learn it.

    `context` holds one slot per input, `limits` the largest count of each, `weights` one per input
    and one for a constant (65536 is 1), which learn at `rate`.
    """
    stretch, squash = tables
    count = context.size
    base = stretch[slots[context[0], 0] >> 16]
    total = weights[0] * base + (weights[count] << 8)
    for j in range(1, count):
        total += weights[j] * (stretch[slots[context[j], 0] >> 16] - base)
    total = min(max(total >> 16, -2815), 2815)
    p = squash[total + 2815]
    bit = code_bit(coder, buffer, p, bit)
    error = ((bit << 16) - p) * rate
    weights[0] += (base * error + (1 << 23)) >> 24
    weights[count] += (256 * error + (1 << 23)) >> 24
    for j in range(1, count):
        at = context[j]
        weights[j] += ((stretch[slots[at, 0] >> 16] - base) * error + (1 << 23)) >> 24
        _learn(slots, at, bit, limits[j])
    _learn(slots, context[0], bit, limits[0])
    return bit


@compiled
def code_number(coder: Any, buffer: Any, slots: Any, number: int) -> int:
    """Code a number from 0 to 2**62: its length in bits, then the bits.

    Of 256 slots, 64 are for the length, and three per length for the two bits after the first.
    """
    number += 1
    length = 0
    while slot_bit(coder, buffer, slots, length, 255, int(number >> (length + 1) > 0)):
        length += 1
        if length == 62:
            break
    value = 1
    for k in range(length - 1, -1, -1):
        bit = (number >> k) & 1
        depth = length - 1 - k
        if depth < 2:
            at = 64 + 3 * length + (depth and 1 + (value & 1))
            bit = slot_bit(coder, buffer, slots, at, 255, bit)
        else:
            bit = code_bit(coder, buffer, 32768, bit)
        value = (value << 1) | bit
    return value - 1


TEXT_SLOTS = 1 << 14
TEXT_ORDERS = 5


@compiled
def code_text(
    coder: Any, buffer: Any, tables: Any, slots: Any, weights: Any, history: Any, text: Any
) -> None:
    """Code bytes, predicted from the previous four: `history` [4], newest first."""
    context = np.empty(TEXT_ORDERS, np.int64)
    limits = np.full(TEXT_ORDERS, 30, np.int64)
    for i in range(text.size):
        node = 1
        for k in range(7, -1, -1):
            hashed = 0
            for order in range(TEXT_ORDERS):
                if order:
                    hashed = (hashed + history[order - 1] + 1) * 0x2F0B4C47 & 0xFFFFFF
                context[order] = order * TEXT_SLOTS + ((hashed >> 8) + node * 0x3D) % TEXT_SLOTS
            bit = (int(text[i]) >> k) & 1
            bit = mixed_bit(coder, buffer, tables, slots, context, limits, weights, 40, bit)
            node = (node << 1) | bit
        text[i] = node & 0xFF
        for order in range(3, 0, -1):
            history[order] = history[order - 1]
        history[0] = node & 0xFF


FLAG_INPUTS = 4
MASK_INPUTS = 12
FEW_INPUTS = 5

FLAG, BIT, ROW, NEXT_ROW = range(4)
READ = 4
RECENT, RECENT_READ = READ + 32, READ + 36
PATTERN, PAST, INSIDE, CROWD, STATE = range(104, 104 + 5 * 16, 16)
CHANNEL = 192
"""Offsets of a mask's slots; those of channels, groups, places and columns come last."""


@compiled
def _touch(slots: Any, at: int, parent: int, ones: int) -> None:
    """Initialize a slot from its parent at its first use."""
    if slots[at, 0] == UNTOUCHED:
        _inherit(slots, at, parent, ones)


@compiled
def _inherit(slots: Any, at: int, parent: int, ones: int) -> None:
    """Copy the parent's probability, as if the rarer bit had been seen `ones` / 16 times."""
    p = slots[parent, 0]
    slots[at, 0] = p
    rarer = max(min(p, ONE - p) >> 16, 1)
    slots[at, 1] = min(max((ones << 12) // rarer, 2), 60000)


@compiled
def _full(mask: Any, row: int) -> int:
    """Whether a row has a one; rows before the first have none."""
    if row >= 0:
        for column in range(mask.shape[1]):
            if mask[row, column]:
                return 1
    return 0


@compiled
def _ones(mask: Any, row: int, first: int, count: int) -> int:
    """Count the ones in some columns of a row, at most 3; 0 before the first row or column."""
    ones = 0
    if row >= 0 and first >= 0 and count > 1:
        for column in range(first, first + count):
            ones += mask[row, column]
    return min(ones, 3)


@compiled
def code_mask(
    coder: Any, buffer: Any, tables: Any, slots: Any, flag_weights: Any, mask_weights: Any,
    settings: Any, mask: Any, geometry: Any, read_classes: Any, ordered: int, inputs: int,
    first: int, stop: int,
) -> None:  # fmt: skip
    """Code rows `first` to `stop` of a mask [rows, channels * height * width] of ones and zeros.

    `settings` holds two rates, then a prior and a count limit for each input; `geometry` holds
    rows, channels, height and width; `read_classes` one number per row, 0 to 15; `ordered` is 1 if
    rows descend; `inputs` is FEW_INPUTS or MASK_INPUTS.
    """
    channels, height, width = geometry[1], geometry[2], geometry[3]
    places = height * width
    columns = channels * places
    flags = np.empty(FLAG_INPUTS, np.int64)
    flag_limits = np.full(FLAG_INPUTS, 1023, np.int64)
    context = np.empty(inputs, np.int64)
    limits = np.empty(inputs, np.int64)
    for j in range(inputs):
        limits[j] = settings[3 + 2 * j]
    group_slots = CHANNEL + channels
    place_slots = group_slots + channels // 8 + 1
    column_slots = place_slots + places
    zero = np.uint8(0)
    context[0], context[1], context[2] = BIT, ROW, NEXT_ROW
    for o in range(first, stop):
        if coder[PAST_END] > MAX_PAST_END:
            return
        recent = _full(mask, o - 1) | _full(mask, o - 2) << 1
        read = read_classes[o]
        if ordered and o > 0 and not recent & 1:
            continue
        flags[0] = FLAG
        flags[1] = READ + 16 + read
        flags[2] = RECENT + recent
        flags[3] = RECENT_READ + recent * 16 + read
        for j in range(1, FLAG_INPUTS):
            _touch(slots, flags[j], FLAG, 16)
        full = 0 if coder[DECODING] else _full(mask, o)
        full = mixed_bit(
            coder, buffer, tables, slots, flags, flag_limits, flag_weights, settings[0], full
        )
        if columns == 1:
            mask[o, 0] = full
        if columns == 1 or not full:
            continue
        _touch(slots, READ + read, BIT, settings[4])
        _inherit(slots, ROW, READ + read, settings[4])
        _touch(slots, NEXT_ROW, BIT, settings[6])
        _inherit(slots, NEXT_ROW, NEXT_ROW, settings[6])
        state = 0 if ordered and o > 0 else 2
        rate = settings[1] * 131072 // (131072 + slots[BIT, 1]) + 2
        for i in range(channels):
            base = i * places
            inside, crowd = 0, 0
            if inputs > FEW_INPUTS:
                crowd = _ones(mask, o, base - places, places) * 4 + _ones(mask, o - 1, base, places)
            context[3] = CHANNEL + i
            context[4] = group_slots + i // 8
            _touch(slots, context[3], BIT, settings[8])
            for k in range(places):
                at = base + k
                same = mask[o - 1, at] if o > 0 else zero
                if state == 0 and not same:
                    mask[o, at] = 0
                    continue
                _touch(slots, context[4], BIT, settings[10])
                if inputs > FEW_INPUTS:
                    y, x = k // width, k % width
                    left = mask[o, at - 1] if x > 0 else zero
                    up = mask[o, at - width] if y > 0 else zero
                    up_left = mask[o, at - width - 1] if x > 0 and y > 0 else zero
                    up_right = mask[o, at - width + 1] if x < width - 1 and y > 0 else zero
                    same2 = mask[o - 2, at] if o > 1 else zero
                    beside = mask[o, at - places] if i > 0 else zero
                    beside2 = mask[o, at - 2 * places] if i > 1 else zero
                    context[5] = column_slots + at
                    context[6] = place_slots + k
                    context[7] = PATTERN + (left | up << 1 | up_left << 2 | up_right << 3)
                    context[8] = PAST + (same | same2 << 1 | beside << 2 | beside2 << 3)
                    context[9] = INSIDE + min(inside, 3) * 4 + 4 * k // places
                    context[10] = CROWD + crowd
                    context[11] = STATE + state
                    _touch(slots, context[5], context[3], settings[12])
                    for j in range(6, MASK_INPUTS):
                        _touch(slots, context[j], BIT, settings[2 + 2 * j])
                # Unnamed, `mask_weights[state]` is free; a local costs 13 % of the loop's time, for
                # numba counts its references bit by bit.
                bit = mixed_bit(
                    coder, buffer, tables, slots, context, limits, mask_weights[state], rate,
                    int(mask[o, at]),
                )  # fmt: skip
                _learn(slots, READ + read, bit, 60000)
                mask[o, at] = bit
                inside += bit
                if state == 0 and not bit:
                    state = 1
                elif state == 1 and bit:
                    state = 2


SYMBOL_INPUTS = 7
BINS = 12

SIGN, BIN = 0, 1
NEAR_SIGN, LAST_SIGN, PAST_SIGN = 13, 22, 31
NEAR_BIN = 40
FULL = NEAR_BIN + 25 * BINS
SIGNED = FULL + 4 * BINS
ROW_SYMBOLS = SIGNED + 2 * BINS
"""Offsets of the slots of symbols; those of rows, places and channels come last."""

SYMBOL_SLOTS = 5
"""Slots per row, place and channel: one for the sign, four for the first bins."""


@compiled
def code_symbols(
    coder: Any, buffer: Any, tables: Any, slots: Any, sign_weights: Any, bin_weights: Any,
    settings: Any, mask: Any, symbols: Any, geometry: Any, read_classes: Any, most: Any,
    numbers: Any, first: int, stop: int,
) -> None:  # fmt: skip
    """Code the signed symbols [rows, columns], which are nonzero where the mask is.

    `most` holds the largest magnitudes below and above zero; `numbers` slots for magnitudes beyond
    the bins; `code_mask` documents the rest.
    """
    channels, height, width = geometry[1], geometry[2], geometry[3]
    places = height * width
    context = np.empty(SYMBOL_INPUTS, np.int64)
    limits = np.empty(SYMBOL_INPUTS, np.int64)
    for j in range(SYMBOL_INPUTS):
        limits[j] = settings[3 + 2 * j]
    place_slots = ROW_SYMBOLS + SYMBOL_SLOTS * 17
    channel_slots = place_slots + SYMBOL_SLOTS * places
    for o in range(first, stop):
        if coder[PAST_END] > MAX_PAST_END:
            return
        last, last2 = 0, 0
        row_slot = ROW_SYMBOLS
        if channels * places == 1:
            row_slot += SYMBOL_SLOTS * (1 + read_classes[o])
            last = int(symbols[o - 1, 0]) if o > 0 else 0
            last2 = int(symbols[o - 2, 0]) if o > 1 else 0
        else:
            slots[row_slot : row_slot + SYMBOL_SLOTS, 0] = UNTOUCHED
        for i in range(channels):
            crowd = -1
            for k in range(places):
                at = i * places + k
                if not mask[o, at]:
                    continue
                if crowd < 0:
                    for kk in range(places):
                        crowd += mask[o, i * places + kk]
                    crowd = min(crowd, 3)
                y, x = k // width, k % width
                left = int(symbols[o, at - 1]) if x > 0 else 0
                up = int(symbols[o, at - width]) if y > 0 else 0
                same = int(symbols[o - 1, at]) if o > 0 else 0
                beside = int(symbols[o, at - places]) if i > 0 else 0
                symbol = int(symbols[o, at])
                negative = int(symbol < 0)
                if most[0] == 0:
                    negative = 0
                elif most[1] == 0:
                    negative = 1
                else:
                    context[0] = SIGN
                    context[1] = row_slot
                    context[2] = channel_slots + SYMBOL_SLOTS * i
                    context[3] = place_slots + SYMBOL_SLOTS * k
                    context[4] = NEAR_SIGN + _three(left) * 3 + _three(up)
                    context[5] = LAST_SIGN + _three(last) * 3 + _three(last2)
                    context[6] = PAST_SIGN + _three(same) * 3 + _three(beside)
                    for j in range(1, SYMBOL_INPUTS):
                        _touch(slots, context[j], SIGN, settings[2 + 2 * j])
                    rate = settings[0] * 128 // (128 + slots[SIGN, 1]) + 2
                    negative = mixed_bit(
                        coder, buffer, tables, slots, context, limits, sign_weights, rate, negative
                    )
                largest = most[0] if negative else most[1]
                magnitude = abs(symbol)
                value = 1
                pair = min(abs(last), 4) * 5 + min(abs(last2), 4)
                while value < largest and value <= BINS:
                    b = value - 1
                    few = min(b, 3)
                    context[0] = BIN + b
                    context[1] = row_slot + 1 + few
                    context[2] = channel_slots + SYMBOL_SLOTS * i + 1 + few
                    context[3] = place_slots + SYMBOL_SLOTS * k + 1 + few
                    context[4] = NEAR_BIN + pair * BINS + b
                    context[5] = FULL + crowd * BINS + b
                    context[6] = SIGNED + negative * BINS + b
                    for j in range(1, SYMBOL_INPUTS):
                        _touch(slots, context[j], BIN + b, settings[2 + 2 * j])
                    rate = settings[1] * 128 // (128 + slots[BIN + b, 1]) + 2
                    more = mixed_bit(
                        coder, buffer, tables, slots, context, limits, bin_weights[b], rate,
                        int(magnitude > value),
                    )  # fmt: skip
                    if not more:
                        break
                    value += 1
                if value > BINS and value < largest:
                    value += code_number(coder, buffer, numbers, magnitude - value)
                value = min(value, largest)
                symbols[o, at] = -value if negative else value
                last2 = last
                last = symbols[o, at]


@compiled
def _three(symbol: int) -> int:
    """0 for zero, 1 for a negative symbol, 2 for a positive one."""
    return 0 if symbol == 0 else 1 if symbol < 0 else 2


MODELED_BITS = 3
"""Leading mantissa bits that have slots."""


@compiled
def code_words(
    coder: Any, buffer: Any, slots: Any, exponent: int, mantissa: int, words: Any
) -> None:
    """Code floating-point numbers, int64 `words`, highest bit first.

    `exponent` and `mantissa` are numbers of bits; `slots` are for the sign, the exponent, and the
    leading mantissa bits.
    """
    for i in range(words.size):
        if coder[PAST_END] > MAX_PAST_END:
            return
        word = int(words[i])
        bit = slot_bit(coder, buffer, slots, 0, 255, (word >> (exponent + mantissa)) & 1)
        value = bit
        node = 1
        for k in range(exponent + mantissa - 1, mantissa - 1, -1):
            bit = slot_bit(coder, buffer, slots, node, 1023, (word >> k) & 1)
            node = (node << 1) | bit
            value = (value << 1) | bit
        at = (node << MODELED_BITS) + 1
        top = 1
        for k in range(mantissa - 1, -1, -1):
            bit = (word >> k) & 1
            if k >= mantissa - MODELED_BITS:
                bit = slot_bit(coder, buffer, slots, at + top - 1, 1023, bit)
                top = (top << 1) | bit
            else:
                bit = code_bit(coder, buffer, 32768, bit)
            value = (value << 1) | bit
        words[i] = value


@compiled
def code_numbers(coder: Any, buffer: Any, slots: Any, numbers: Any) -> None:
    """Code int64 numbers from 0 to 2**62."""
    for i in range(numbers.size):
        if coder[PAST_END] > MAX_PAST_END:
            return
        numbers[i] = code_number(coder, buffer, slots, int(numbers[i]))
