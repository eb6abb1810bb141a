/* Checks preprocess.c, decode.c and stream.c against what Python and the TFLM interpreter computed.
 * On the host: make test. On an emulated Cortex-M: make qemu.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "golden_vectors.h"
#include "preprocess.h"
#include "stream.h"

static int checks = 0;
static int failures = 0;

static void check(int condition, const char *what, int index) {
    ++checks;
    if (!condition) {
        ++failures;
        printf("FAILED: %s of vector %d\n", what, index);
    }
}

static usmae_quantized_t input[USMAE_SIGNAL_LENGTH];
static usmae_stream_t stream;

static void check_signal(int index) {
    check(usmae_preprocess(usmae_golden_signal[index], input) == USMAE_OK, "status", index);
    int differing = 0;
    int largest = 0;
    for (int i = 0; i < USMAE_SIGNAL_LENGTH; ++i) {
        const int difference = abs((int)input[i] - (int)usmae_golden_input[index][i]);
        differing += difference != 0;
        largest = difference > largest ? difference : largest;
    }
    printf("vector %d: %d of %d quantised samples differ, at most by %d LSB\n", index, differing, USMAE_SIGNAL_LENGTH,
           largest);
    /* Ties of rounding may fall either way. */
    check(largest <= 1 && differing * 100 <= USMAE_SIGNAL_LENGTH, "quantised input", index);
    const usmae_result_t result = usmae_decode(usmae_golden_logits[index]);
    check(fabsf(result.onset_samples - usmae_golden_onset[index]) < 1e-2f, "onset", index);
    check(fabsf(result.tof_microseconds - usmae_golden_onset[index] * USMAE_MICROSECONDS_PER_SAMPLE) < 1e-3f, "ToF",
          index);
    check(fabsf(result.confidence - usmae_golden_confidence[index]) < 1e-4f, "confidence", index);
}

/* Stands for the interpreter: hands out the logits that it gave for each window. */
static int replay(const usmae_quantized_t *window, usmae_quantized_t *logits, void *context) {
    int *next = context;
    (void)window;
    if (*next >= USMAE_GOLDEN_WINDOWS) {
        return 1;
    }
    memcpy(logits, usmae_golden_window_logits[(*next)++], sizeof(usmae_golden_window_logits[0]));
    return 0;
}

static void check_stream(void) {
    usmae_pick_t picks[USMAE_GOLDEN_WINDOWS];
    size_t count = 0;
    int next = 0;
    stream.hop = USMAE_GOLDEN_HOP;
    stream.min_confidence = USMAE_GOLDEN_MIN_CONFIDENCE;
    stream.merge_distance = USMAE_GOLDEN_MERGE_DISTANCE;
    stream.infer = replay;
    stream.context = &next;
    const int status = usmae_stream(&stream, usmae_golden_record, USMAE_GOLDEN_RECORD_LENGTH, picks,
                                    USMAE_GOLDEN_WINDOWS, &count);
    check(status == USMAE_OK, "status of the stream", 0);
    check(next == USMAE_GOLDEN_WINDOWS, "number of windows", next);
    check(count == USMAE_GOLDEN_PICKS, "number of picks", (int)count);
    for (size_t i = 0; i < count && i < USMAE_GOLDEN_PICKS; ++i) {
        check(fabsf(picks[i].onset_samples - usmae_golden_pick_onset[i]) < 1e-2f, "pick", (int)i);
        check(fabsf(picks[i].confidence - usmae_golden_pick_confidence[i]) < 1e-4f, "confidence of pick", (int)i);
    }
    check(usmae_stream(&stream, usmae_golden_record, USMAE_SIGNAL_LENGTH - 1, picks, 1, &count) == USMAE_BAD_ARGUMENT,
          "short record", 0);
    next = 0;
    check(usmae_stream(&stream, usmae_golden_record, USMAE_GOLDEN_RECORD_LENGTH, picks, 0, &count) ==
              USMAE_TOO_MANY_PICKS, "no room for picks", 0);
    next = USMAE_GOLDEN_WINDOWS;
    check(usmae_stream(&stream, usmae_golden_record, USMAE_SIGNAL_LENGTH, picks, 1, &count) == USMAE_INFER_FAILED,
          "failing inference", 0);
}

static void check_extremes(void) {
    static int16_t signal[USMAE_SIGNAL_LENGTH];
    for (int i = 0; i < USMAE_SIGNAL_LENGTH; ++i) {
        signal[i] = -32768;
    }
    check(usmae_preprocess(signal, input) == USMAE_CONSTANT_SIGNAL, "constant signal", 0);
    for (int i = 0; i < USMAE_SIGNAL_LENGTH; i += 2) {
        signal[i] = 32767;
    }
    check(usmae_preprocess(signal, input) == USMAE_OK && input[0] > input[1], "full scale", 0);
}

int main(void) {
    for (int i = 0; i < USMAE_GOLDEN_COUNT; ++i) {
        check_signal(i);
    }
    check_stream();
    check_extremes();
    printf("%d of %d checks passed\n", checks - failures, checks);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
