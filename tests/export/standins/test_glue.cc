/* The C++ of a firmware folder on stand-ins for TFLM: every answer of the set-up, picks, stream, kernels. */
#include <cmath>
#include <string.h>

#include "golden_vectors.h"
#include "model_data.h"
#include "tflm.h"
#include "usmae.h"
#ifdef USMAE_GOLDEN_SOFTMAX
#include "kernels.h"
#endif

namespace tflite {
Standin standin;
int MicroContext::held = 0;
static Model model = {TFLITE_SCHEMA_VERSION};
const Model* GetModel(const void* buffer) { return buffer == g_usmae_model ? &model : nullptr; }
}  // namespace tflite
using tflite::standin;

static int failures = 0;
static void check(bool condition, const char* what) {
  if (!condition) {
    ++failures;
    printf("FAILED: %s\n", what);
  }
}

alignas(16) static usmae_quantized_t input[USMAE_SIGNAL_LENGTH], output[USMAE_NUM_BINS];
static int window = -1;  // of the golden record, or a golden signal by its input
static void replay(const void* in, void* out) {
  if (window >= 0) {
    memcpy(out, usmae_golden_window_logits[window++], sizeof(output));
    return;
  }
  for (int i = 0; i < USMAE_GOLDEN_COUNT; ++i) {
    if (memcmp(in, usmae_golden_input[i], sizeof(input)) == 0) {
      memcpy(out, usmae_golden_logits[i], sizeof(output));
      return;
    }
  }
  check(false, "an input that is none of the golden ones");
}

static void describe(TfLiteTensor* tensor, void* data, size_t bytes, float scale, int zero_point) {
  tensor->type = sizeof(usmae_quantized_t) == 1 ? kTfLiteInt8 : kTfLiteInt16;
  tensor->data.data = data;
  tensor->bytes = bytes;
  tensor->params = {scale, zero_point};
}

#ifdef USMAE_GOLDEN_SOFTMAX
static void* allocate(TfLiteContext*, size_t bytes) {
  static void* memory[4];
  return bytes <= sizeof(memory) ? memory : nullptr;
}

static void check_kernels() {
  TfLiteIntArray one = {1, {0}};
  TfLiteIntArray shape = {2, {USMAE_GOLDEN_SOFTMAX_ROWS, USMAE_GOLDEN_SOFTMAX_DEPTH}};
  static int8_t found[USMAE_GOLDEN_SOFTMAX_ROWS][USMAE_GOLDEN_SOFTMAX_DEPTH];
  static int8_t given[USMAE_GOLDEN_SOFTMAX_ROWS][USMAE_GOLDEN_SOFTMAX_DEPTH];
  TfLiteTensor tensor = {};
  tensor.type = kTfLiteInt8;
  TfLiteEvalTensor eval_input = {}, eval_output = {};
  eval_input.dims = eval_output.dims = &shape;
  eval_input.data.int8 = given[0];
  eval_output.data.int8 = found[0];
  TfLiteContext context = {allocate, &tensor, &eval_input, &eval_output};
  const TFLMRegistration softmax = RegisterUsmaeSoftmax();
  for (int i = 0; i < USMAE_GOLDEN_SOFTMAX; ++i) {
    memcpy(given, usmae_golden_softmax_input[i], sizeof(given));
    tensor.params.scale = usmae_golden_softmax_scale[i];
    TfLiteNode node = {&one, &one, softmax.init(&context, nullptr, 0)};
    check(softmax.prepare(&context, &node) == kTfLiteOk, "softmax is prepared");
    check(softmax.invoke(&context, &node) == kTfLiteOk, "softmax runs");
    check(memcmp(found, usmae_golden_softmax_output[i], sizeof(found)) == 0, "softmax is that of TFLM");
  }
  TfLiteNode node = {&one, &one, softmax.init(&context, nullptr, 0)};
  tensor.params.scale *= 1.5f;
  check(softmax.prepare(&context, &node) == kTfLiteError, "a scale without a table is refused");
  tensor.type = kTfLiteInt16;
  check(softmax.prepare(&context, &node) == kTfLiteError, "another type is refused");
  const TFLMRegistration logistic = RegisterUsmaeLogistic();
  check(logistic.prepare(&context, &node) == kTfLiteError, "logistic without a table is refused");
  check(tflite::MicroContext::held == 0, "temporary tensors are given back");
}
#endif

static usmae_pick_t picks[USMAE_GOLDEN_MOST_PICKS + 1];
static usmae_stream_t stream;

static void check_picks(size_t count, size_t expected, const float golden[][3]) {
  check(count == expected, "number of picks");
  for (size_t i = 0; i < count && i < expected; ++i) {
    check(std::fabs(picks[i].onset_samples - golden[i][0]) < 1e-2f, "onset");
    check(std::fabs(picks[i].confidence - golden[i][2]) < 1e-4f, "confidence");
  }
}

static void check_running() {
  size_t count = 7;
  check(usmae_setup() == USMAE_OK, "the set-up keeps its answer");
  check(usmae_arena_bytes() == 1008, "1001 bytes rounded up to 16");
  for (int i = 0; i < USMAE_GOLDEN_COUNT; ++i) {
    check(usmae_pick(usmae_golden_signal[i], picks, USMAE_GOLDEN_MOST_PICKS, &count) == USMAE_OK, "a signal");
    check_picks(count, static_cast<size_t>(usmae_golden_num_picks[i]), usmae_golden_picks[i]);
  }
  static const int16_t flat[USMAE_SIGNAL_LENGTH] = {};
  check(usmae_pick(flat, picks, 1, &count) == USMAE_CONSTANT_SIGNAL && count == 0, "a constant signal");
  window = 0;
  check(usmae_open_stream(&stream) == USMAE_OK, "a stream");
  check(usmae_stream(&stream, usmae_golden_record, USMAE_GOLDEN_RECORD_LENGTH, picks, USMAE_GOLDEN_MOST_PICKS, &count) ==
            USMAE_OK, "a record");
  check_picks(count, USMAE_GOLDEN_STREAM_PICKS, usmae_golden_stream_picks);
  standin.invoke = kTfLiteError;
  check(usmae_pick(usmae_golden_signal[0], picks, 1, &count) == USMAE_INFER_FAILED && count == 0, "a failing kernel");
}

/* The argument says what is wrong; the set-up runs once in a process. */
int main(int count, char** arguments) {
  const char* wrong = count > 1 ? arguments[1] : "";
  size_t found = 7;
  check(usmae_pick(usmae_golden_signal[0], picks, 1, &found) == USMAE_NOT_SET_UP && found == 0, "not set up");
  check(usmae_open_stream(&stream) == USMAE_NOT_SET_UP && usmae_arena_bytes() == 0, "no stream without set-up");
  standin.run = replay;
  describe(&standin.input, input, sizeof(input), USMAE_INPUT_SCALE, USMAE_INPUT_ZERO_POINT);
  describe(&standin.output, output, sizeof(output), USMAE_OUTPUT_SCALE, USMAE_OUTPUT_ZERO_POINT);
  int expected = USMAE_OK;
  if (strcmp(wrong, "schema") == 0) {
    tflite::model.schema = 2;
    expected = USMAE_OTHER_SCHEMA;
  } else if (strcmp(wrong, "memory") == 0) {
    standin.allocate = kTfLiteError;
    expected = USMAE_NO_MEMORY;
  } else if (strcmp(wrong, "size") == 0) {
    standin.input.bytes -= 1;
    expected = USMAE_OTHER_TENSORS;
  } else if (strcmp(wrong, "scale") == 0) {
    standin.output.params.scale *= 2;
    expected = USMAE_OTHER_TENSORS;
  } else if (strcmp(wrong, "model") == 0) {
    expected = USMAE_OTHER_MODEL;  // compiled with another USMAE_MODEL_HASH
  }
  check(usmae_setup() == expected, "the answer of the set-up");
  if (expected == USMAE_OK) {
    check_running();
  } else {
    check(usmae_setup() == expected && usmae_pick(usmae_golden_signal[0], picks, 1, &found) == USMAE_NOT_SET_UP, wrong);
  }
#ifdef USMAE_GOLDEN_SOFTMAX
  check_kernels();
#endif
  printf("%d failures\n", failures);
  return failures != 0;
}
