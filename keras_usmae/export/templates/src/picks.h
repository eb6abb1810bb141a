/* From the output tensor of the model to the echoes of a signal. */
#ifndef USMAE_PICKS_H
#define USMAE_PICKS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float onset_samples;      /* from the start of the record, to fractions of a bin; times
                               * USMAE_MICROSECONDS_PER_SAMPLE, the time of flight */
    float half_width_samples; /* the onset lies within this of it with 95 % probability */
    float confidence;         /* probability that an echo begins within a bin of the pick, 0 to 1 */
} usmae_pick_t;

/* The probability of each of USMAE_NUM_BINS bins that an echo begins in it, from as many quantised logits. */
void usmae_probabilities(const usmae_quantized_t *logits, float *probability);

/* The picks of one signal, in order of their onset.
 *
 * logits: USMAE_NUM_BINS values of the output tensor.
 * min_confidence: picks below are dropped; USMAE_MIN_CONFIDENCE is usual.
 * picks: where at most max_picks picks go.
 * num_picks: their number.
 * Returns USMAE_OK, or USMAE_TOO_MANY_PICKS where the weakest were dropped.
 */
int usmae_decode_picks(const usmae_quantized_t *logits, float min_confidence, usmae_pick_t *picks, size_t max_picks,
                       size_t *num_picks);

/* The same bin by bin, for records of any length; stream.c uses it. */
typedef struct {
    float min_confidence;
    usmae_pick_t *picks;
    size_t max_picks;
    size_t num_picks;
    size_t dropped;   /* picks for which there was no room: the weakest */
    int32_t num_bins; /* fed so far */
    float near[5];    /* the newest at the end */
    int32_t peak_at;  /* bin of the peak that is not finished, -1 for none */
    int32_t peak_gap; /* bins to the peak before it */
    float peak_near[5];
} usmae_finder_t;

void usmae_finder_begin(usmae_finder_t *finder, float min_confidence, usmae_pick_t *picks, size_t max_picks);
void usmae_finder_feed(usmae_finder_t *finder, float probability);
void usmae_finder_end(usmae_finder_t *finder);

#ifdef __cplusplus
}
#endif

#endif
