/* From the output tensor of a classifier to the one time of flight of a signal. */
#ifndef USMAE_DECODE_H
#define USMAE_DECODE_H

#include <stdint.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t bin;            /* most likely ToF class */
    float onset_samples;    /* onset, to fractions of a bin, in samples from the start of the signal */
    float tof_microseconds; /* the same in microseconds */
    float confidence;       /* probability of the most likely class, 0 to 1 */
} usmae_result_t;

/* Decodes USMAE_NUM_BINS quantised logits: the mean over the bins within two of the most likely. It always answers. */
usmae_result_t usmae_decode(const usmae_quantized_t *logits);

#ifdef __cplusplus
}
#endif

#endif
