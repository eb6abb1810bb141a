/* Checks the C sources against what Python and the TFLM interpreter computed.
 * On the host: make test. On an emulated Cortex-M: make qemu.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#if USMAE_SOFTMAX
#include "decode.h"
#endif
#include "golden_vectors.h"
#ifdef USMAE_GOLDEN_SOFTMAX
#include "lookup.h"
#endif
#include "picks.h"
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
static usmae_pick_t picks[USMAE_GOLDEN_MOST_PICKS + 1];

/* `golden`: onset, half of the interval, confidence. */
static void check_picks(size_t count, size_t expected, const float golden[][3], int index) {
    check(count == expected, "number of picks", index);
    for (size_t i = 0; i < count && i < expected; ++i) {
        check(fabsf(picks[i].onset_samples - golden[i][0]) < 1e-2f, "onset", index);
        check(fabsf(picks[i].half_width_samples - golden[i][1]) < 2e-2f, "interval", index);
        check(fabsf(picks[i].confidence - golden[i][2]) < 1e-4f, "confidence", index);
    }
}

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
    size_t count = 0;
    check(usmae_decode_picks(usmae_golden_logits[index], USMAE_MIN_CONFIDENCE, picks, USMAE_GOLDEN_MOST_PICKS,
                             &count) == USMAE_OK, "room", index);
    check_picks(count, (size_t)usmae_golden_num_picks[index], usmae_golden_picks[index], index);
#if USMAE_SOFTMAX
    const usmae_result_t result = usmae_decode(usmae_golden_logits[index]);
    check(fabsf(result.onset_samples - usmae_golden_onset[index]) < 1e-2f, "onset", index);
    check(fabsf(result.tof_microseconds - usmae_golden_onset[index] * USMAE_MICROSECONDS_PER_SAMPLE) < 1e-3f, "ToF",
          index);
    check(fabsf(result.confidence - usmae_golden_confidence[index]) < 1e-4f, "confidence", index);
#endif
}

/* Stands for the interpreter: hands out the logits that it gave for each window. */
static const usmae_quantized_t *replay(void *context) {
    int *next = context;
    return *next < USMAE_GOLDEN_WINDOWS ? usmae_golden_window_logits[(*next)++] : NULL;
}

static int yields = 0;
static void count_yields(void *context) {
    (void)context;
    ++yields;
}

static void check_stream(void) {
    const size_t golden = USMAE_GOLDEN_STREAM_PICKS;
    size_t count = 0;
    int next = 0;
    usmae_stream_init(&stream, replay, &next, input);
    stream.yield = count_yields;
    check(usmae_stream(&stream, usmae_golden_record, USMAE_GOLDEN_RECORD_LENGTH, picks, USMAE_GOLDEN_MOST_PICKS,
                       &count) == USMAE_OK, "status of the stream", 0);
    check(next == USMAE_GOLDEN_WINDOWS && yields == next, "number of windows", next);
    check_picks(count, golden, usmae_golden_stream_picks, -1);

    /* In blocks of any size the same. */
    next = 0;
    usmae_begin(&stream, picks, USMAE_GOLDEN_MOST_PICKS);
    for (size_t i = 0, block = 1; i < USMAE_GOLDEN_RECORD_LENGTH; i += block, block = block * 5 % 997 + 1) {
        const size_t left = USMAE_GOLDEN_RECORD_LENGTH - i;
        check(usmae_push(&stream, usmae_golden_record + i, block < left ? block : left) == USMAE_OK, "block", (int)i);
    }
    check(usmae_finish(&stream, &count) == USMAE_OK, "end of the blocks", 0);
    check_picks(count, golden, usmae_golden_stream_picks, -2);

    /* Where there is no room for all, the most confident stay. */
    next = 0;
    check(usmae_stream(&stream, usmae_golden_record, USMAE_GOLDEN_RECORD_LENGTH, picks, 0, &count) ==
              (golden > 0 ? USMAE_TOO_MANY_PICKS : USMAE_OK) && count == 0, "no room for picks", 0);
    next = 0;
    check(usmae_stream(&stream, usmae_golden_record, USMAE_GOLDEN_RECORD_LENGTH, picks, 1, &count) ==
              (golden > 1 ? USMAE_TOO_MANY_PICKS : USMAE_OK) && count == (golden > 0), "room for one", 0);
    for (size_t i = 0; i < golden; ++i) {
        check(usmae_golden_stream_picks[i][2] <= picks[0].confidence + 1e-4f, "the most confident", (int)i);
    }

    check(usmae_stream(&stream, usmae_golden_record, USMAE_SIGNAL_LENGTH - 1, picks, 1, &count) == USMAE_BAD_ARGUMENT,
          "short record", 0);
    next = USMAE_GOLDEN_WINDOWS;
    check(usmae_stream(&stream, usmae_golden_record, USMAE_SIGNAL_LENGTH, picks, 1, &count) == USMAE_INFER_FAILED,
          "failing inference", 0);
}

#ifdef USMAE_GOLDEN_SOFTMAX
static void check_softmax(int index) {
    static int8_t output[USMAE_GOLDEN_SOFTMAX_ROWS][USMAE_GOLDEN_SOFTMAX_DEPTH];
    const int32_t *table = usmae_find_softmax_table(usmae_golden_softmax_scale[index]);
    check(table != NULL, "table of softmax", index);
    if (table != NULL) {
        usmae_softmax(usmae_golden_softmax_input[index][0], output[0], USMAE_GOLDEN_SOFTMAX_ROWS,
                      USMAE_GOLDEN_SOFTMAX_DEPTH, table);
        check(memcmp(output, usmae_golden_softmax_output[index], sizeof(output)) == 0, "softmax", index);
    }
}
#endif

static void check_extremes(void) {
    static int16_t signal[USMAE_SIGNAL_LENGTH];
    static usmae_quantized_t turned[USMAE_SIGNAL_LENGTH];
    for (int i = 0; i < USMAE_SIGNAL_LENGTH; ++i) {
        signal[i] = -32768;
    }
    check(usmae_preprocess(signal, input) == USMAE_CONSTANT_SIGNAL, "constant signal", 0);
    for (int i = 0; i < USMAE_SIGNAL_LENGTH; i += 2) {
        signal[i] = 32767;
    }
    check(usmae_preprocess(signal, input) == USMAE_OK && input[0] > input[1], "full scale", 0);

    /* A signal that wraps around the end of a ring, and one from an ADC with offset-binary output. */
    memcpy(signal, usmae_golden_signal[0], sizeof(signal));
    usmae_preprocess(signal, input);
    memmove(signal + 5, usmae_golden_signal[0], sizeof(signal) - 5 * sizeof(signal[0]));
    memcpy(signal, usmae_golden_signal[0] + USMAE_SIGNAL_LENGTH - 5, 5 * sizeof(signal[0]));
    check(usmae_preprocess_ring(signal, USMAE_SIGNAL_LENGTH, 5, turned) == USMAE_OK &&
              memcmp(input, turned, sizeof(input)) == 0, "wrapped signal", 0);
    static uint16_t binary[USMAE_SIGNAL_LENGTH];
    for (int i = 0; i < USMAE_SIGNAL_LENGTH; ++i) {
        binary[i] = (uint16_t)((int32_t)usmae_golden_signal[0][i] + 32768);
    }
    check(usmae_preprocess(usmae_from_offset_binary(binary, USMAE_SIGNAL_LENGTH), turned) == USMAE_OK &&
              memcmp(input, turned, sizeof(input)) == 0, "offset-binary signal", 0);
}

int main(void) {
    for (int i = 0; i < USMAE_GOLDEN_COUNT; ++i) {
        check_signal(i);
    }
    check_stream();
    check_extremes();
#ifdef USMAE_GOLDEN_SOFTMAX
    for (int i = 0; i < USMAE_GOLDEN_SOFTMAX; ++i) {
        check_softmax(i);
    }
#endif
    printf("%d of %d checks passed\n", checks - failures, checks);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
