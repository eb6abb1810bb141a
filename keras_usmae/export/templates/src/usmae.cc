#include "usmae.h"

#include "model_data.h"
#include "op_resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"

/* Where the arena lies: such as -DUSMAE_ARENA_SECTION='__attribute__((section(".dtcm")))'. */
#ifndef USMAE_ARENA_SECTION
#define USMAE_ARENA_SECTION
#endif

/* Of the file format. */
#ifndef TFLITE_SCHEMA_VERSION
#define TFLITE_SCHEMA_VERSION 3
#endif

static_assert(USMAE_ARENA_BYTES % 16 == 0, "TFLM takes the end of the arena for aligned data: round up to 16");

namespace {

USMAE_ARENA_SECTION alignas(16) uint8_t arena[USMAE_ARENA_BYTES];
tflite::MicroInterpreter* interpreter = nullptr;
usmae_quantized_t* input = nullptr;
const usmae_quantized_t* logits = nullptr;

usmae_quantized_t* Data(TfLiteTensor* tensor) { return reinterpret_cast<usmae_quantized_t*>(tensor->data.raw); }

bool Fits(const TfLiteTensor* tensor, size_t values, float scale, int zero_point) {
  const TfLiteType type = sizeof(usmae_quantized_t) == 1 ? kTfLiteInt8 : kTfLiteInt16;
  return tensor != nullptr && tensor->type == type && tensor->bytes == values * sizeof(usmae_quantized_t) &&
         tensor->params.scale == scale && tensor->params.zero_point == zero_point;
}

int SetUp() {
  if (g_usmae_model_hash != USMAE_MODEL_HASH) {
    return USMAE_OTHER_MODEL;
  }
  const tflite::Model* model = tflite::GetModel(g_usmae_model);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    return USMAE_OTHER_SCHEMA;
  }
  static UsmaeOpResolver resolver;
  if (RegisterUsmaeOps(resolver) != kTfLiteOk) {
    return USMAE_NO_OPERATOR;
  }
  static tflite::MicroInterpreter made(model, resolver, arena, sizeof(arena));
  if (made.AllocateTensors() != kTfLiteOk) {
    return USMAE_NO_MEMORY;
  }
  if (made.inputs_size() != 1 || made.outputs_size() != 1 ||
      !Fits(made.input(0), USMAE_SIGNAL_LENGTH, USMAE_INPUT_SCALE, USMAE_INPUT_ZERO_POINT) ||
      !Fits(made.output(0), USMAE_NUM_BINS, USMAE_OUTPUT_SCALE, USMAE_OUTPUT_ZERO_POINT)) {
    return USMAE_OTHER_TENSORS;
  }
  input = Data(made.input(0));
  logits = Data(made.output(0));
  interpreter = &made;
  return USMAE_OK;
}

}  // namespace

int usmae_setup(void) {
  static const int answer = SetUp();
  return answer;
}

const usmae_quantized_t* usmae_infer(void*) {
  return interpreter != nullptr && interpreter->Invoke() == kTfLiteOk ? logits : nullptr;
}

int usmae_pick(const int16_t* signal, usmae_pick_t* picks, size_t max_picks, size_t* num_picks) {
  *num_picks = 0;
  if (interpreter == nullptr) {
    return USMAE_NOT_SET_UP;
  }
  const int status = usmae_preprocess(signal, input);
  if (status != USMAE_OK) {
    return status;
  }
  if (usmae_infer(nullptr) == nullptr) {
    return USMAE_INFER_FAILED;
  }
  return usmae_decode_picks(logits, USMAE_MIN_CONFIDENCE, picks, max_picks, num_picks);
}

int usmae_open_stream(usmae_stream_t* stream) {
  if (interpreter == nullptr) {
    return USMAE_NOT_SET_UP;
  }
  usmae_stream_init(stream, usmae_infer, nullptr, input);
  return USMAE_OK;
}

size_t usmae_arena_bytes(void) {
  return interpreter == nullptr ? 0 : (interpreter->arena_used_bytes() + 15) / 16 * 16;
}
