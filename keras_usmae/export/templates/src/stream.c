/* Windows overlap by half and share their bins; each bin takes the mean of what the windows say of it, those in which it
 * is more central counting more. It is what keras_usmae/picker/windows.py does, in the same order of operations. */
#include "stream.h"

#include <string.h>

#include "preprocess.h"

#define USMAE_HELD 3

/* What a window counts for one of its bins; the ends of the record are no cuts, and have no margin. */
static float usmae_weight(const usmae_window_t *window, size_t bin) {
    const float middle = ((float)bin + 0.5f) * (float)USMAE_BIN_WIDTH;
    const float most = (float)USMAE_SIGNAL_LENGTH / 2.0f;
    float weight = most;
    if (!window->is_first && middle - (float)(USMAE_SIGNAL_LENGTH / 8) < weight) {
        weight = middle - (float)(USMAE_SIGNAL_LENGTH / 8);
    }
    if (!window->is_last && (float)USMAE_SIGNAL_LENGTH - middle - (float)(USMAE_SIGNAL_LENGTH / 8) < weight) {
        weight = (float)USMAE_SIGNAL_LENGTH - middle - (float)(USMAE_SIGNAL_LENGTH / 8);
    }
    return weight > 0.0f ? weight : 0.0f;
}

/* Gives bins of the record that no later window covers to the finder. */
static void usmae_settle(usmae_stream_t *stream, size_t from, size_t to) {
    const size_t held = stream->num_windows < USMAE_HELD ? stream->num_windows : USMAE_HELD;
    for (size_t bin = from; bin < to; ++bin) {
        float weights[USMAE_HELD];
        float total = 0.0f;
        for (size_t i = 0; i < held; ++i) { /* the oldest first */
            const usmae_window_t *window = &stream->windows[(stream->num_windows - held + i) % USMAE_HELD];
            const int inside = bin >= window->first_bin && bin < window->first_bin + USMAE_NUM_BINS;
            weights[i] = inside ? usmae_weight(window, bin - window->first_bin) : 0.0f;
            total += weights[i];
        }
        float probability = 0.0f;
        for (size_t i = 0; i < held; ++i) {
            if (weights[i] > 0.0f) {
                const usmae_window_t *window = &stream->windows[(stream->num_windows - held + i) % USMAE_HELD];
                const float share = weights[i] / total;
                const float part = window->probability[bin - window->first_bin] * share;
                probability += part;
            }
        }
        usmae_finder_feed(&stream->finder, probability);
    }
}

static int usmae_see(usmae_stream_t *stream, size_t start, int is_last) {
    usmae_window_t *window = &stream->windows[stream->num_windows % USMAE_HELD];
    const size_t first_bin = start / USMAE_BIN_WIDTH;
    if (stream->num_windows > 0) {
        const usmae_window_t *before = &stream->windows[(stream->num_windows - 1) % USMAE_HELD];
        usmae_settle(stream, before->first_bin, first_bin); /* before the oldest window is written over */
    }
    window->first_bin = first_bin;
    window->is_first = start == 0;
    window->is_last = is_last;
    if (usmae_preprocess_ring(stream->ring, USMAE_RING, start % USMAE_RING, stream->input) == USMAE_OK) {
        const usmae_quantized_t *logits = stream->infer(stream->context);
        if (logits == NULL) {
            return USMAE_INFER_FAILED;
        }
        usmae_probabilities(logits, window->probability);
    } else {
        memset(window->probability, 0, sizeof(window->probability)); /* all samples equal: no echo */
    }
    ++stream->num_windows;
    if (stream->yield != NULL) {
        stream->yield(stream->context);
    }
    return USMAE_OK;
}

void usmae_stream_init(usmae_stream_t *stream, usmae_infer_t infer, void *context, usmae_quantized_t *input) {
    stream->infer = infer;
    stream->context = context;
    stream->input = input;
    stream->min_confidence = USMAE_MIN_CONFIDENCE;
    stream->yield = NULL;
    usmae_begin(stream, NULL, 0);
}

void usmae_begin(usmae_stream_t *stream, usmae_pick_t *picks, size_t max_picks) {
    usmae_finder_begin(&stream->finder, stream->min_confidence, picks, max_picks);
    stream->num_samples = 0;
    stream->num_windows = 0;
}

int usmae_push(usmae_stream_t *stream, const int16_t *samples, size_t count) {
    while (count > 0) {
        /* A window waits until a bin more has come: only then it is known that it is not the last one. */
        const size_t start = stream->num_windows * USMAE_HOP;
        const size_t at = stream->num_samples % USMAE_RING;
        size_t some = start + USMAE_RING - stream->num_samples;
        some = some < USMAE_RING - at ? some : USMAE_RING - at;
        some = some < count ? some : count;
        memcpy(stream->ring + at, samples, some * sizeof(*samples));
        stream->num_samples += some;
        samples += some;
        count -= some;
        if (stream->num_samples == start + USMAE_RING) {
            const int status = usmae_see(stream, start, 0);
            if (status != USMAE_OK) {
                return status;
            }
        }
    }
    return USMAE_OK;
}

int usmae_finish(usmae_stream_t *stream, size_t *num_picks) {
    *num_picks = 0;
    if (stream->num_samples < USMAE_SIGNAL_LENGTH) {
        return USMAE_BAD_ARGUMENT;
    }
    const size_t last = (stream->num_samples - USMAE_SIGNAL_LENGTH) / USMAE_BIN_WIDTH * USMAE_BIN_WIDTH;
    const int status = usmae_see(stream, last, 1);
    if (status != USMAE_OK) {
        return status;
    }
    const size_t first_bin = last / USMAE_BIN_WIDTH;
    usmae_settle(stream, first_bin, first_bin + USMAE_NUM_BINS);
    usmae_finder_end(&stream->finder);
    *num_picks = stream->finder.num_picks;
    return stream->finder.dropped ? USMAE_TOO_MANY_PICKS : USMAE_OK;
}

int usmae_stream(usmae_stream_t *stream, const int16_t *record, size_t num_samples, usmae_pick_t *picks,
                 size_t max_picks, size_t *num_picks) {
    usmae_begin(stream, picks, max_picks);
    const int status = usmae_push(stream, record, num_samples);
    if (status != USMAE_OK) {
        *num_picks = 0;
        return status;
    }
    return usmae_finish(stream, num_picks);
}
