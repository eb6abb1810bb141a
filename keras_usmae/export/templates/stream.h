/* Echoes of a record that is longer than the model's window. */
#ifndef USMAE_STREAM_H
#define USMAE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float onset_samples; /* from the start of the record */
    float confidence;    /* 0 to 1 */
} usmae_pick_t;

/* Runs the model: input tensor in, logits out; returns 0 on success. With TFLM: copy, Invoke(), copy. */
typedef int (*usmae_infer_t)(const usmae_quantized_t *input, usmae_quantized_t *logits, void *context);

typedef struct {
    size_t hop;            /* samples from one window to the next, at most USMAE_SIGNAL_LENGTH; half of it is usual */
    float min_confidence;  /* picks below are dropped */
    float merge_distance;  /* samples; of picks that lie closer, the most confident stays */
    usmae_infer_t infer;
    void *context;         /* handed to `infer` */
    usmae_quantized_t input[USMAE_SIGNAL_LENGTH]; /* working memory */
    usmae_quantized_t logits[USMAE_NUM_CLASSES];
} usmae_stream_t;

/* Slides the window over a record, and merges the picks of overlapping windows. The last window ends with the record;
 * windows without variance are left out.
 *
 * record: num_samples samples, at least USMAE_SIGNAL_LENGTH.
 * picks: where at most max_picks picks go, in order of their onset.
 * num_picks: their number.
 * Returns USMAE_OK, USMAE_BAD_ARGUMENT, USMAE_INFER_FAILED, or USMAE_TOO_MANY_PICKS (then max_picks are there).
 */
int usmae_stream(usmae_stream_t *stream, const int16_t *record, size_t num_samples, usmae_pick_t *picks,
                 size_t max_picks, size_t *num_picks);

#ifdef __cplusplus
}
#endif

#endif
