#include "lookup.h"

#define USMAE_ACCUMULATION_BITS 12 /* integer bits of the sum of exponentials */

const int32_t *usmae_find_softmax_table(float scale) {
    for (size_t i = 0; i < usmae_num_softmax_tables; ++i) {
        if (usmae_softmax_tables[i].scale == scale) {
            return usmae_softmax_tables[i].exponential;
        }
    }
    return NULL;
}

const int8_t *usmae_find_logistic_table(float scale, int32_t zero_point) {
    for (size_t i = 0; i < usmae_num_logistic_tables; ++i) {
        if (usmae_logistic_tables[i].scale == scale && usmae_logistic_tables[i].zero_point == zero_point) {
            return usmae_logistic_tables[i].logistic;
        }
    }
    return NULL;
}

/* Product of two numbers with 31 fractional bits, rounded; halves of negative ones towards zero. */
static int32_t usmae_multiply(int32_t a, int32_t b) {
    const int64_t product = (int64_t)a * b;
    const int64_t nudge = product >= 0 ? (int64_t)1 << 30 : 1 - ((int64_t)1 << 30);
    return (int32_t)((product + nudge) / ((int64_t)1 << 31));
}

static int32_t usmae_shift_saturating(int32_t value, int bits) {
    const int64_t shifted = (int64_t)value * ((int64_t)1 << bits);
    if (shifted > INT32_MAX) {
        return INT32_MAX;
    }
    return shifted < INT32_MIN ? INT32_MIN : (int32_t)shifted;
}

/* 1 / (1 + x) for x in [0, 1), both with 31 fractional bits, by three steps of Newton and Raphson. */
static int32_t usmae_one_over_one_plus(int32_t x) {
    const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + usmae_multiply(half_denominator, -1010580540); /* 48/17 - 32/17 x, 29 bits */
    for (int i = 0; i < 3; ++i) {
        const int32_t rest = ((int32_t)1 << 29) - usmae_multiply(half_denominator, estimate);
        estimate += usmae_shift_saturating(usmae_multiply(estimate, rest), 2);
    }
    return usmae_shift_saturating(estimate, 1);
}

static int usmae_leading_zeros(uint32_t value) {
    int zeros = 0;
    while (!(value & 0x80000000u)) {
        value <<= 1;
        ++zeros;
    }
    return zeros;
}

static void usmae_softmax_row(const int8_t *input, int8_t *output, size_t depth, const int32_t *exponential) {
    int32_t largest = INT8_MIN;
    for (size_t i = 0; i < depth; ++i) {
        largest = input[i] > largest ? input[i] : largest;
    }
    uint32_t sum = 0;
    for (size_t i = 0; i < depth; ++i) {
        const uint32_t term = (uint32_t)exponential[largest - input[i]];
        sum += (term + (1u << (USMAE_ACCUMULATION_BITS - 1))) >> USMAE_ACCUMULATION_BITS;
    }
    const int zeros = usmae_leading_zeros(sum);
    const int32_t scale = usmae_one_over_one_plus((int32_t)((sum << zeros) - 0x80000000u));
    const int shift = USMAE_ACCUMULATION_BITS - zeros + 31 - 8;
    /* Both roundings of the reference: of the product to 31 bits, then of the quotient. Nothing here is negative. */
    const uint32_t half = shift > 0 ? (1u << shift) >> 1 : 0;
    for (size_t i = 0; i < depth; ++i) {
        const uint64_t product = (uint64_t)(uint32_t)scale * (uint32_t)exponential[largest - input[i]];
        const uint32_t quotient = (uint32_t)((product + (1u << 30)) >> 31);
        const uint32_t rounded = (quotient + half) >> shift;
        output[i] = (int8_t)((int32_t)(rounded < 255 ? rounded : 255) - 128);
    }
}

void usmae_softmax(const int8_t *input, int8_t *output, size_t rows, size_t depth, const int32_t *exponential) {
    for (size_t row = 0; row < rows; ++row) {
        usmae_softmax_row(input + row * depth, output + row * depth, depth, exponential);
    }
}

void usmae_logistic(const int8_t *input, int8_t *output, size_t count, const int8_t *table) {
    for (size_t i = 0; i < count; ++i) {
        output[i] = table[input[i] + 128];
    }
}
