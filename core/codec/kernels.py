"""The inner loops: an adaptive binary range coder, and the models that tell it what to expect.

All arithmetic is on integers, so that every machine decodes the same. FORMAT.md beside this file
says what each loop does; encoding and decoding are one loop, so that they cannot differ. One file
holds all of them, since numba's cache on the disk looks at no other file than a function's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

LOW, RANGE, CACHE, PENDING, POSITION, CODE, PAST_END, DECODING, STARTED = range(9)
"""What the array `coder` holds; `PENDING` counts bytes that wait for a carry."""

ONE = 1 << 32
"""A probability of one in a slot: slots hold 32 bits of the probability of a 1."""

UNTOUCHED = -1

MOST_PAST_END = 4
"""Zeros that a decoder may read behind the end: as many as the encoder may leave out."""


@njit(cache=True)
def _shift(coder: Any, buffer: Any) -> None:
    """Move the highest byte of `low` out, keeping those back that a carry may still change."""
    low = coder[LOW]
    if low < 0xFF000000 or low >= 1 << 32:
        carry = low >> 32
        if coder[STARTED]:
            buffer[coder[POSITION]] = (coder[CACHE] + carry) & 0xFF
            coder[POSITION] += 1
        for _ in range(coder[PENDING]):
            buffer[coder[POSITION]] = (0xFF + carry) & 0xFF
            coder[POSITION] += 1
        coder[PENDING] = 0
        coder[STARTED] = 1
        coder[CACHE] = (low >> 24) & 0xFF
    else:
        coder[PENDING] += 1
    coder[LOW] = (low & 0x00FFFFFF) << 8


@njit(cache=True)
def _fetch(coder: Any, buffer: Any) -> None:
    """Take one more byte of the file into `code`."""
    byte = 0
    if coder[POSITION] < buffer.size:
        byte = int(buffer[coder[POSITION]])
        coder[POSITION] += 1
    else:
        coder[PAST_END] += 1
    coder[CODE] = ((coder[CODE] & 0x00FFFFFF) << 8) | byte


@njit(cache=True)
def code_bit(coder: Any, buffer: Any, p: int, bit: int) -> int:
    """Code one bit whose probability to be 1 is p / 65536; returns it."""
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


@njit(cache=True)
def start(coder: Any, buffer: Any) -> None:
    """Read the first four bytes."""
    for _ in range(4):
        _fetch(coder, buffer)


@njit(cache=True)
def finish(coder: Any, buffer: Any) -> None:
    """Write the fewest bytes that say which interval it came to."""
    for count in range(5):
        mask = (1 << (32 - 8 * count)) - 1
        value = (coder[LOW] + mask) & ~mask
        if value < coder[LOW] + coder[RANGE]:
            coder[LOW] = value
            for _ in range(count):
                _shift(coder, buffer)
            _flush(coder, buffer)
            return


@njit(cache=True)
def _flush(coder: Any, buffer: Any) -> None:
    """Write the bytes that were kept back; a carry may still be in `low`."""
    carry = coder[LOW] >> 32
    if coder[STARTED]:
        buffer[coder[POSITION]] = (coder[CACHE] + carry) & 0xFF
        coder[POSITION] += 1
    for _ in range(coder[PENDING]):
        buffer[coder[POSITION]] = (0xFF + carry) & 0xFF
        coder[POSITION] += 1
    coder[PENDING] = 0


@njit(cache=True)
def _learn(slots: Any, at: int, bit: int, limit: int) -> None:
    """Move the probability of a slot towards the bit by one over its count."""
    count = slots[at, 1]
    slots[at, 0] += ((bit << 32) - bit - slots[at, 0]) // count
    if count < limit:
        slots[at, 1] = count + 1


@njit(cache=True)
def slot_bit(coder: Any, buffer: Any, slots: Any, at: int, limit: int, bit: int) -> int:
    """Code a bit with the probability of one slot, which learns it."""
    p = min(max(slots[at, 0] >> 16, 1), 65535)
    bit = code_bit(coder, buffer, p, bit)
    _learn(slots, at, bit, limit)
    return bit


@njit(cache=True)
def mixed_bit(
    coder: Any,
    buffer: Any,
    tables: Any,
    slots: Any,
    context: Any,
    limits: Any,
    weights: Any,
    rate: int,
    bit: int,
) -> int:
    """Code a bit with the probabilities of several slots, mixed; slots and weights learn it.

    Args:
        context: the slots, one an input.
        limits: how far the count of each goes.
        weights: one an input, and one for a constant; 65536 is 1.
        rate: how fast the weights learn.
    """
    stretch, squash = tables
    count = context.size
    total = weights[count] << 8
    for j in range(count):
        total += weights[j] * stretch[slots[context[j], 0] >> 16]
    total = min(max(total >> 16, -2815), 2815)
    p = squash[total + 2815]
    bit = code_bit(coder, buffer, p, bit)
    error = ((bit << 16) - p) * rate
    for j in range(count):
        at = context[j]
        weights[j] += (stretch[slots[at, 0] >> 16] * error + (1 << 23)) >> 24
        _learn(slots, at, bit, limits[j])
    weights[count] += (256 * error + (1 << 23)) >> 24
    return bit


@njit(cache=True)
def code_number(coder: Any, buffer: Any, slots: Any, number: int) -> int:
    """Code a number from 0 to 2**62: how many bits it has, then the bits.

    Args:
        slots: 256 of them: 64 for the length, three for the two bits after the first of each.
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


@njit(cache=True)
def code_text(
    coder: Any,
    buffer: Any,
    tables: Any,
    slots: Any,
    weights: Any,
    history: Any,
    text: Any,
) -> None:
    """Code bytes, expected from the up to four before; `history` [4] holds those, newest first."""
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


MASK_INPUTS = 10
FLAG_INPUTS = 4


@njit(cache=True)
def _touch(slots: Any, at: int, parent: int, count: int) -> None:
    """Have a slot that is used for the first time expect what its parent does."""
    if slots[at, 0] == UNTOUCHED:
        slots[at, 0] = slots[parent, 0]
        slots[at, 1] = count


@njit(cache=True)
def code_mask(
    coder: Any,
    buffer: Any,
    tables: Any,
    slots: Any,
    flag_weights: Any,
    mask_weights: Any,
    settings: Any,
    mask: Any,
    geometry: Any,
    outgoing: Any,
    first: int,
    stop: int,
) -> None:
    """Code rows `first` to `stop` of a mask [rows, channels * height * width] of ones and zeros.

    Args:
        settings: of the model: rates, then for each input its prior's strength and its limit.
        geometry: rows, channels, height, width.
        outgoing: of each row, how much its unit is read by what comes after, 0 to 15.
    """
    channels, height, width = geometry[1], geometry[2], geometry[3]
    places = height * width
    columns = channels * places
    flag_context = np.empty(FLAG_INPUTS, np.int64)
    flag_limits = np.full(FLAG_INPUTS, 1023, np.int64)
    context = np.empty(MASK_INPUTS, np.int64)
    limits = np.empty(MASK_INPUTS, np.int64)
    prior = np.empty(MASK_INPUTS, np.int64)
    for j in range(MASK_INPUTS):
        prior[j] = settings[2 + 2 * j]
        limits[j] = settings[3 + 2 * j]
    flags = 1
    bits = flags + 1 + 16 + 4 + 64
    channel_slots = bits + 1
    place_slots = channel_slots + channels
    column_slots = place_slots + places
    pattern_slots = column_slots + columns
    row_slot = pattern_slots + 16 + 16 + 16 * 4 + 16 + 16 * 4
    zero = np.uint8(0)
    for o in range(first, stop):
        flag_context[0] = flags
        flag_context[1] = flags + 1 + outgoing[o]
        flag_context[2] = flags + 17 + (slots[0, 1] & 3)
        flag_context[3] = flags + 21 + (slots[0, 1] & 3) * 16 + outgoing[o]
        for j in range(1, FLAG_INPUTS):
            _touch(slots, flag_context[j], flags, 2)
        full = 0
        if not coder[DECODING]:
            for i in range(columns):
                if mask[o, i]:
                    full = 1
                    break
        full = mixed_bit(
            coder, buffer, tables, slots, flag_context, flag_limits, flag_weights, settings[0], full
        )
        slots[0, 1] = ((slots[0, 1] << 1) | full) & 3
        if columns == 1:
            mask[o, 0] = full
            continue
        if coder[PAST_END] > MOST_PAST_END:
            return
        if not full:
            continue
        slots[row_slot, 0] = UNTOUCHED
        above = max(o - 1, 0)
        for i in range(channels):
            inside = 0
            base = i * places
            previous = 0
            if i > 0:
                for k in range(places):
                    previous += mask[o, base - places + k]
            over = 0
            if o > 0:
                for k in range(places):
                    over += mask[above, base + k]
            for y in range(height):
                for x in range(width):
                    k = y * width + x
                    at = base + k
                    left = mask[o, at - 1] if x > 0 else zero
                    up = mask[o, at - width] if y > 0 else zero
                    up_left = mask[o, at - width - 1] if x > 0 and y > 0 else zero
                    up_right = mask[o, at - width + 1] if x < width - 1 and y > 0 else zero
                    same = mask[o - 1, at] if o > 0 else zero
                    same2 = mask[o - 2, at] if o > 1 else zero
                    beside = mask[o, at - places] if i > 0 else zero
                    beside2 = mask[o, at - 2 * places] if i > 1 else zero
                    pattern = int(left) | int(up) << 1 | int(up_left) << 2 | int(up_right) << 3
                    past = int(same) | int(same2) << 1 | int(beside) << 2 | int(beside2) << 3
                    progress = 4 * k // places
                    context[0] = bits
                    context[1] = row_slot
                    context[2] = channel_slots + i
                    context[3] = place_slots + k
                    context[4] = column_slots + at
                    context[5] = pattern_slots + pattern
                    context[6] = pattern_slots + 16 + past
                    context[7] = pattern_slots + 32 + min(inside, 3) * 4 + progress
                    context[8] = pattern_slots + 96 + min(previous, 3) * 4 + min(over, 3)
                    context[9] = pattern_slots + 112 + outgoing[o]
                    for j in range(1, MASK_INPUTS):
                        _touch(slots, context[j], bits, prior[j])
                    bit = mixed_bit(
                        coder,
                        buffer,
                        tables,
                        slots,
                        context,
                        limits,
                        mask_weights,
                        settings[1],
                        int(mask[o, at]),
                    )
                    mask[o, at] = bit
                    inside += bit


SYMBOL_INPUTS = 7
BINS = 12


@njit(cache=True)
def code_symbols(
    coder: Any,
    buffer: Any,
    tables: Any,
    slots: Any,
    sign_weights: Any,
    bin_weights: Any,
    settings: Any,
    mask: Any,
    symbols: Any,
    geometry: Any,
    most: Any,
    numbers: Any,
    first: int,
    stop: int,
) -> None:
    """Code the symbols [rows, columns], signed and not zero where the mask is.

    Args:
        most: the largest magnitude below and above zero.
        numbers: 256 slots for what goes beyond the bins.
    """
    channels, height, width = geometry[1], geometry[2], geometry[3]
    places = height * width
    context = np.empty(SYMBOL_INPUTS, np.int64)
    limits = np.empty(SYMBOL_INPUTS, np.int64)
    for j in range(SYMBOL_INPUTS):
        limits[j] = settings[3 + 2 * j]
    signs = 1
    bins = 2
    group = 1 + 4  # a sign, and four bins
    sign_near = bins + BINS
    near = sign_near + 81
    bin_near = near + 81
    inside = bin_near + 25 * BINS
    sign_of = inside + 4 * BINS
    place_slots = sign_of + 2 * BINS
    channel_slots = place_slots + group * places
    row_slot = channel_slots + group * channels
    for o in range(first, stop):
        for j in range(group):
            slots[row_slot + j, 0] = UNTOUCHED
        last, last2 = 0, 0
        if coder[PAST_END] > MOST_PAST_END:
            return
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
                    context[0] = signs
                    context[1] = row_slot
                    context[2] = channel_slots + group * i
                    context[3] = place_slots + group * k
                    context[4] = sign_near + _three(left) * 3 + _three(up)
                    context[5] = near + _three(last) * 3 + _three(last2)
                    context[6] = near + 9 + _three(same) * 3 + _three(beside)
                    for j in range(1, SYMBOL_INPUTS):
                        _touch(slots, context[j], signs, settings[2 + 2 * j])
                    negative = mixed_bit(
                        coder,
                        buffer,
                        tables,
                        slots,
                        context,
                        limits,
                        sign_weights,
                        settings[0],
                        negative,
                    )
                largest = most[0] if negative else most[1]
                magnitude = abs(symbol)
                value = 1
                pair = min(abs(last), 4) * 5 + min(abs(last2), 4)
                while value < largest and value <= BINS:
                    b = value - 1
                    few = min(b, 3)
                    context[0] = bins + b
                    context[1] = row_slot + 1 + few
                    context[2] = channel_slots + group * i + 1 + few
                    context[3] = place_slots + group * k + 1 + few
                    context[4] = bin_near + pair * BINS + b
                    context[5] = inside + crowd * BINS + b
                    context[6] = sign_of + negative * BINS + b
                    for j in range(1, SYMBOL_INPUTS):
                        _touch(slots, context[j], bins + b, settings[2 + 2 * j])
                    more = mixed_bit(
                        coder,
                        buffer,
                        tables,
                        slots,
                        context,
                        limits,
                        bin_weights[b],
                        settings[1],
                        int(magnitude > value),
                    )
                    if not more:
                        break
                    value += 1
                if value > BINS and value < largest:
                    value += code_number(coder, buffer, numbers, magnitude - value)
                value = min(value, largest)
                symbols[o, at] = -value if negative else value
                last2 = last
                last = symbols[o, at]


@njit(cache=True)
def _three(symbol: int) -> int:
    """0 for none, 1 for a negative, 2 for a positive one."""
    return 0 if symbol == 0 else 1 if symbol < 0 else 2


TOP = 3
"""How many of the first bits of a mantissa are modelled."""


@njit(cache=True)
def code_words(
    coder: Any,
    buffer: Any,
    slots: Any,
    exponent: int,
    mantissa: int,
    words: Any,
) -> None:
    """Code floating-point numbers as bits: sign, exponent, mantissa, the highest bit first.

    Args:
        slots: of the sign, the exponent, and the first bits of the mantissa.
        exponent: how many bits it has.
        mantissa: how many bits it has.
        words: the numbers, in int64.
    """
    for i in range(words.size):
        if coder[PAST_END] > MOST_PAST_END:
            return
        word = int(words[i])
        bit = slot_bit(coder, buffer, slots, 0, 255, (word >> (exponent + mantissa)) & 1)
        value = bit
        node = 1
        for k in range(exponent + mantissa - 1, mantissa - 1, -1):
            bit = slot_bit(coder, buffer, slots, node, 1023, (word >> k) & 1)
            node = (node << 1) | bit
            value = (value << 1) | bit
        at = (node << TOP) + 1
        top = 1
        for k in range(mantissa - 1, -1, -1):
            bit = (word >> k) & 1
            if k >= mantissa - TOP:
                bit = slot_bit(coder, buffer, slots, at + top - 1, 1023, bit)
                top = (top << 1) | bit
            else:
                bit = code_bit(coder, buffer, 32768, bit)
            value = (value << 1) | bit
        words[i] = value


@njit(cache=True)
def code_numbers(coder: Any, buffer: Any, slots: Any, numbers: Any) -> None:
    """Code whole numbers of int64 from 0 to 2**62 each."""
    for i in range(numbers.size):
        if coder[PAST_END] > MOST_PAST_END:
            return
        numbers[i] = code_number(coder, buffer, slots, int(numbers[i]))
