/* Echoes of records that are longer than the model's window, whole or as they come. */
#ifndef USMAE_STREAM_H
#define USMAE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "picks.h"

#ifdef __cplusplus
extern "C" {
#endif

#define USMAE_HOP (USMAE_SIGNAL_LENGTH / 2)
#define USMAE_RING (USMAE_SIGNAL_LENGTH + USMAE_BIN_WIDTH)

/* Runs the model on what lies in its input tensor; returns its USMAE_NUM_BINS logits, or NULL on failure. */
typedef const usmae_quantized_t *(*usmae_infer_t)(void *context);

typedef struct {
    size_t first_bin; /* of the record */
    int is_first;     /* the window begins with the record */
    int is_last;      /* the window ends with the record */
    float probability[USMAE_NUM_BINS];
} usmae_window_t;

typedef struct {
    usmae_infer_t infer;
    void *context;               /* handed to `infer` and `yield` */
    usmae_quantized_t *input;    /* the input tensor */
    float min_confidence;        /* picks below are dropped */
    void (*yield)(void *context); /* called after each window, for a watchdog; NULL for nothing */
    /* Working memory. */
    usmae_finder_t finder;
    size_t num_samples;
    size_t num_windows;
    usmae_window_t windows[3]; /* so many may cover a bin */
    int16_t ring[USMAE_RING];
} usmae_stream_t;

/* Prepares a stream, with USMAE_MIN_CONFIDENCE as its least confidence. Once. */
void usmae_stream_init(usmae_stream_t *stream, usmae_infer_t infer, void *context, usmae_quantized_t *input);

/* Begins a record, as at each trigger. `picks`: where at most max_picks picks go, in order of their onset. */
void usmae_begin(usmae_stream_t *stream, usmae_pick_t *picks, size_t max_picks);

/* Takes the next samples of the record, any number of them: a block, half of a DMA buffer, or all at once. The model
 * runs whenever half a window is new. stream->finder.num_picks are found so far.
 * Returns USMAE_OK or USMAE_INFER_FAILED; then begin anew.
 */
int usmae_push(usmae_stream_t *stream, const int16_t *samples, size_t count);

/* Ends the record: the last window ends with it, less than a bin ahead.
 *
 * num_picks: the number of picks.
 * Returns USMAE_OK, USMAE_BAD_ARGUMENT for a record shorter than a window, USMAE_INFER_FAILED, or USMAE_TOO_MANY_PICKS
 * where the weakest were dropped.
 */
int usmae_finish(usmae_stream_t *stream, size_t *num_picks);

/* All three for a record in memory. */
int usmae_stream(usmae_stream_t *stream, const int16_t *record, size_t num_samples, usmae_pick_t *picks,
                 size_t max_picks, size_t *num_picks);

#ifdef __cplusplus
}
#endif

#endif
