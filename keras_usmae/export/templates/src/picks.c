/* The steps are those of keras_usmae/picker/decoding.py. */
#include "picks.h"

#include <math.h>

#include "preprocess.h"

#define USMAE_RADIUS 2               /* bins on either side of a peak that count */
#define USMAE_NO_PEAK (2 * USMAE_RADIUS + 2) /* bins to another peak, where there is none that matters */
#define USMAE_NORMAL_95 1.959964f
#define USMAE_HAIR 1e-6f /* rounding must not drop a pick of exactly the least confidence */

void usmae_probabilities(const usmae_quantized_t *logits, float *probability) {
#if USMAE_SOFTMAX
    int32_t largest = logits[0];
    for (int32_t i = 1; i < USMAE_NUM_BINS; ++i) {
        largest = logits[i] > largest ? logits[i] : largest;
    }
    float total = 0.0f;
    for (int32_t i = 0; i < USMAE_NUM_BINS; ++i) {
        probability[i] = expf((float)((int32_t)logits[i] - largest) * USMAE_OUTPUT_SCALE);
        total += probability[i];
    }
    for (int32_t i = 0; i < USMAE_NUM_BINS; ++i) {
        probability[i] /= total;
    }
#else
    for (int32_t i = 0; i < USMAE_NUM_BINS; ++i) {
        const float logit = (float)((int32_t)logits[i] - USMAE_OUTPUT_ZERO_POINT) * USMAE_OUTPUT_SCALE;
        probability[i] = 1.0f / (1.0f + expf(-logit));
    }
#endif
}

/* Puts a pick behind those found so far; where there is no room, the weakest of all goes. */
static void usmae_add(usmae_finder_t *finder, usmae_pick_t pick) {
    if (finder->num_picks == finder->max_picks) {
        ++finder->dropped;
        size_t weakest = finder->num_picks;
        float least = pick.confidence;
        for (size_t i = 0; i < finder->num_picks; ++i) {
            if (finder->picks[i].confidence < least) {
                least = finder->picks[i].confidence;
                weakest = i;
            }
        }
        if (weakest == finder->num_picks) {
            return;
        }
        for (size_t i = weakest + 1; i < finder->num_picks; ++i) {
            finder->picks[i - 1] = finder->picks[i];
        }
        --finder->num_picks;
    }
    finder->picks[finder->num_picks++] = pick;
}

/* The expected number of echoes that begin within a bin of `at`. What the network spreads ahead of a record is not lost:
 * the first bin stands in for the one before it. */
static float usmae_near(const float *near, int32_t at) {
    const float before = at == 0 ? near[USMAE_RADIUS] : near[USMAE_RADIUS - 1];
    return before + near[USMAE_RADIUS] + near[USMAE_RADIUS + 1];
}

/* Finishes the peak that waits; `after` is the distance in bins to the next one. */
static void usmae_finish_peak(usmae_finder_t *finder, int32_t after) {
    float total = 0.0f;
    float moment = 0.0f;
    float second = 0.0f;
    for (int32_t i = 0; i <= 2 * USMAE_RADIUS; ++i) {
        const int32_t offset = i - USMAE_RADIUS;
        if (2 * offset > -finder->peak_gap && 2 * offset < after) { /* echoes that are close share no bin */
            const float weight = finder->peak_near[i];
            total += weight;
            moment += weight * (float)offset;
            second += weight * (float)(offset * offset);
        }
    }
    const float mean = moment / total;
    const float width = (float)USMAE_BIN_WIDTH;
    const float doubt = (second / total - mean * mean) * width * width - USMAE_LABEL_SIGMA * USMAE_LABEL_SIGMA -
                        width * width / 12.0f;
    const float near = usmae_near(finder->peak_near, finder->peak_at);
    usmae_pick_t pick;
    pick.onset_samples = ((float)finder->peak_at + 0.5f + mean) * width;
    pick.half_width_samples = USMAE_NORMAL_95 * USMAE_INTERVAL_SCALE *
                              sqrtf((doubt > 0.0f ? doubt : 0.0f) + USMAE_INTERVAL_FLOOR * USMAE_INTERVAL_FLOOR);
    pick.confidence = near < 1.0f ? near : 1.0f;
    usmae_add(finder, pick);
    finder->peak_at = -1;
}

void usmae_finder_begin(usmae_finder_t *finder, float min_confidence, usmae_pick_t *picks, size_t max_picks) {
    finder->min_confidence = min_confidence;
    finder->picks = picks;
    finder->max_picks = max_picks;
    finder->num_picks = 0;
    finder->dropped = 0;
    finder->num_bins = 0;
    finder->peak_at = -1;
    for (int32_t i = 0; i <= 2 * USMAE_RADIUS; ++i) {
        finder->near[i] = 0.0f;
    }
}

void usmae_finder_feed(usmae_finder_t *finder, float probability) {
    float *near = finder->near;
    for (int32_t i = 0; i < 2 * USMAE_RADIUS; ++i) {
        near[i] = near[i + 1];
    }
    near[2 * USMAE_RADIUS] = probability;
    const int32_t at = finder->num_bins++ - USMAE_RADIUS;
    if (finder->peak_at >= 0 && at - finder->peak_at > 2 * USMAE_RADIUS) {
        usmae_finish_peak(finder, USMAE_NO_PEAK);
    }
    const float peak = near[USMAE_RADIUS];
    if (!(peak >= finder->min_confidence / 3.0f && peak > near[0] && peak > near[1] && peak >= near[3] &&
          peak >= near[4] && usmae_near(near, at) >= finder->min_confidence - USMAE_HAIR)) {
        return;
    }
    int32_t gap = USMAE_NO_PEAK;
    if (finder->peak_at >= 0) {
        gap = at - finder->peak_at;
        usmae_finish_peak(finder, gap);
    }
    finder->peak_at = at;
    finder->peak_gap = gap;
    for (int32_t i = 0; i <= 2 * USMAE_RADIUS; ++i) {
        finder->peak_near[i] = near[i];
    }
}

void usmae_finder_end(usmae_finder_t *finder) {
    for (int32_t i = 0; i < USMAE_RADIUS; ++i) {
        usmae_finder_feed(finder, 0.0f);
    }
    if (finder->peak_at >= 0) {
        usmae_finish_peak(finder, USMAE_NO_PEAK);
    }
}

int usmae_decode_picks(const usmae_quantized_t *logits, float min_confidence, usmae_pick_t *picks, size_t max_picks,
                       size_t *num_picks) {
    float probability[USMAE_NUM_BINS];
    usmae_finder_t finder;
    usmae_probabilities(logits, probability);
    usmae_finder_begin(&finder, min_confidence, picks, max_picks);
    for (int32_t i = 0; i < USMAE_NUM_BINS; ++i) {
        usmae_finder_feed(&finder, probability[i]);
    }
    usmae_finder_end(&finder);
    *num_picks = finder.num_picks;
    return finder.dropped ? USMAE_TOO_MANY_PICKS : USMAE_OK;
}
