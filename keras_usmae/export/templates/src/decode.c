#include "decode.h"

#include <math.h>

#define USMAE_RADIUS 2 /* bins on either side of the most likely one that the onset is a mean over */

usmae_result_t usmae_decode(const usmae_quantized_t *logits) {
    int32_t peak = 0;
    for (int32_t i = 1; i < USMAE_NUM_BINS; ++i) {
        if (logits[i] > logits[peak]) {
            peak = i;
        }
    }
    float total = 0.0f;
    float near_total = 0.0f;
    float near_moment = 0.0f;
    for (int32_t i = 0; i < USMAE_NUM_BINS; ++i) {
        const int32_t distance = i - peak;
        const float weight = expf((float)((int32_t)logits[i] - logits[peak]) * USMAE_OUTPUT_SCALE);
        total += weight;
        if (distance >= -USMAE_RADIUS && distance <= USMAE_RADIUS) {
            near_total += weight;
            near_moment += weight * (float)distance;
        }
    }
    usmae_result_t result;
    result.bin = peak;
    result.onset_samples = ((float)peak + near_moment / near_total + 0.5f) * (float)USMAE_BIN_WIDTH;
    result.tof_microseconds = result.onset_samples * USMAE_MICROSECONDS_PER_SAMPLE;
    result.confidence = 1.0f / total;
    return result;
}
