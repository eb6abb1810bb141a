#include "stream.h"

#include <math.h>

#include "decode.h"
#include "preprocess.h"

/* Puts a pick among those found so far; returns 0 if there is no room. */
static int usmae_merge(usmae_pick_t pick, float merge_distance, usmae_pick_t *picks, size_t max_picks, size_t *count) {
    for (size_t i = 0; i < *count;) {
        if (fabsf(picks[i].onset_samples - pick.onset_samples) >= merge_distance) {
            ++i;
            continue;
        }
        if (picks[i].confidence >= pick.confidence) {
            return 1;
        }
        for (size_t j = i + 1; j < *count; ++j) { /* the new pick takes its place */
            picks[j - 1] = picks[j];
        }
        --*count;
    }
    if (*count == max_picks) {
        return 0;
    }
    size_t place = (*count)++;
    for (; place > 0 && picks[place - 1].onset_samples > pick.onset_samples; --place) {
        picks[place] = picks[place - 1];
    }
    picks[place] = pick;
    return 1;
}

int usmae_stream(usmae_stream_t *stream, const int16_t *record, size_t num_samples, usmae_pick_t *picks,
                 size_t max_picks, size_t *num_picks) {
    *num_picks = 0;
    if (num_samples < USMAE_SIGNAL_LENGTH || stream->hop == 0 || stream->hop > USMAE_SIGNAL_LENGTH) {
        return USMAE_BAD_ARGUMENT;
    }
    const size_t last = num_samples - USMAE_SIGNAL_LENGTH;
    for (size_t start = 0;; start += stream->hop) {
        start = start > last ? last : start;
        if (usmae_preprocess(record + start, stream->input) == USMAE_OK) {
            if (stream->infer(stream->input, stream->logits, stream->context) != 0) {
                return USMAE_INFER_FAILED;
            }
            const usmae_result_t result = usmae_decode(stream->logits);
            const usmae_pick_t pick = {(float)start + result.onset_samples, result.confidence};
            if (pick.confidence >= stream->min_confidence &&
                !usmae_merge(pick, stream->merge_distance, picks, max_picks, num_picks)) {
                return USMAE_TOO_MANY_PICKS;
            }
        }
        if (start == last) {
            return USMAE_OK;
        }
    }
}
