#include "preprocess.h"

#include <math.h>

/* The sums below are exact for up to 65,536 samples. */
typedef char usmae_length_fits[USMAE_SIGNAL_LENGTH <= 65536 ? 1 : -1];

int usmae_preprocess(const int16_t *signal, usmae_quantized_t *quantized) {
    const int64_t n = USMAE_SIGNAL_LENGTH;
    int64_t sum = 0;
    int64_t squares = 0;
    for (int32_t i = 0; i < USMAE_SIGNAL_LENGTH; ++i) {
        sum += signal[i];
        squares += (int32_t)signal[i] * signal[i];
    }
    const int64_t spread = n * squares - sum * sum; /* n^2 times the variance */
    if (spread <= 0) {
        return USMAE_CONSTANT_SIGNAL;
    }
    const float gain = 1.0f / (USMAE_INPUT_SCALE * sqrtf((float)spread));
    for (int32_t i = 0; i < USMAE_SIGNAL_LENGTH; ++i) {
        const float value = (float)(n * signal[i] - sum) * gain;
        long quantum = lrintf(value) + USMAE_INPUT_ZERO_POINT;
        quantum = quantum < USMAE_QUANTIZED_MIN ? USMAE_QUANTIZED_MIN : quantum;
        quantum = quantum > USMAE_QUANTIZED_MAX ? USMAE_QUANTIZED_MAX : quantum;
        quantized[i] = (usmae_quantized_t)quantum;
    }
    return USMAE_OK;
}
