#include "preprocess.h"

#include <math.h>

/* n * sample - sum, with which a sample's distance from the mean is exact, fits into 32 bits up to this length. */
typedef char usmae_length_fits[USMAE_SIGNAL_LENGTH <= 32768 ? 1 : -1];

/* Added to a float below 2^22 and taken away again, rounds it to an integer, ties to even, without a call. */
#define USMAE_ROUNDING 12582912.0f
#define USMAE_FAR 65536.0f /* beyond every quantised value, and below 2^22 */

static int32_t usmae_quantize(float value) {
    if (value >= USMAE_FAR) {
        return USMAE_QUANTIZED_MAX;
    }
    if (value <= -USMAE_FAR) {
        return USMAE_QUANTIZED_MIN;
    }
    const volatile float shifted = value + USMAE_ROUNDING; /* volatile: -ffast-math must not undo it */
    const int32_t quantum = (int32_t)(shifted - USMAE_ROUNDING) + USMAE_INPUT_ZERO_POINT;
    if (quantum > USMAE_QUANTIZED_MAX) {
        return USMAE_QUANTIZED_MAX;
    }
    return quantum < USMAE_QUANTIZED_MIN ? USMAE_QUANTIZED_MIN : quantum;
}

static void usmae_add_up(const int16_t *signal, size_t count, int32_t *sum, int64_t *squares) {
    int32_t total = 0;
    int64_t total_squares = 0;
    for (size_t i = 0; i < count; ++i) {
        const int32_t sample = signal[i];
        total += sample;
        total_squares += sample * sample;
    }
    *sum += total;
    *squares += total_squares;
}

static void usmae_scale(const int16_t *signal, size_t count, int32_t sum, float gain, usmae_quantized_t *quantized) {
    for (size_t i = 0; i < count; ++i) {
        const int32_t from_mean = USMAE_SIGNAL_LENGTH * (int32_t)signal[i] - sum;
        quantized[i] = (usmae_quantized_t)usmae_quantize((float)from_mean * gain);
    }
}

int usmae_preprocess_ring(const int16_t *ring, size_t size, size_t first, usmae_quantized_t *quantized) {
    const size_t behind = size - first;
    const size_t head = behind < USMAE_SIGNAL_LENGTH ? behind : USMAE_SIGNAL_LENGTH;
    const size_t tail = USMAE_SIGNAL_LENGTH - head;
    int32_t sum = 0;
    int64_t squares = 0;
    usmae_add_up(ring + first, head, &sum, &squares);
    usmae_add_up(ring, tail, &sum, &squares);
    const int64_t spread = USMAE_SIGNAL_LENGTH * squares - (int64_t)sum * sum; /* n^2 times the variance */
    if (spread <= 0) {
        return USMAE_CONSTANT_SIGNAL;
    }
    const float gain = 1.0f / (USMAE_INPUT_SCALE * sqrtf((float)spread));
    usmae_scale(ring + first, head, sum, gain, quantized);
    usmae_scale(ring, tail, sum, gain, quantized + head);
    return USMAE_OK;
}

int usmae_preprocess(const int16_t *signal, usmae_quantized_t *quantized) {
    return usmae_preprocess_ring(signal, USMAE_SIGNAL_LENGTH, 0, quantized);
}

const int16_t *usmae_from_offset_binary(uint16_t *samples, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        samples[i] ^= 0x8000u;
    }
    return (const int16_t *)samples;
}
