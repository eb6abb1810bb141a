#include "kernels.h"

#include "lookup.h"
#include "tensorflow/lite/micro/micro_log.h"

namespace tflite {
namespace micro {
namespace {

size_t Count(const TfLiteEvalTensor* tensor) {
  size_t count = 1;
  for (int i = 0; i < tensor->dims->size; ++i) {
    count *= static_cast<size_t>(tensor->dims->data[i]);
  }
  return count;
}

void* Init(TfLiteContext* context, const char*, size_t) {
  return context->AllocatePersistentBuffer(context, sizeof(const void*));
}

// Finds the table of a node by the scale of its input; `find` is given that tensor.
template <typename Table, typename Find>
TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node, const char* name, Find find) {
  if (node->user_data == nullptr || node->inputs->size != 1 || node->outputs->size != 1) {
    return kTfLiteError;
  }
  MicroContext* micro_context = GetMicroContext(context);
  TfLiteTensor* input = micro_context->AllocateTempInputTensor(node, 0);
  if (input == nullptr) {
    return kTfLiteError;
  }
  const Table* table = input->type == kTfLiteInt8 ? find(*input) : nullptr;
  micro_context->DeallocateTempTfLiteTensor(input);
  if (table == nullptr) {
    MicroPrintf("%s: no table for this tensor; lookup_tables.c and the model belong to two exports", name);
    return kTfLiteError;
  }
  *static_cast<const Table**>(node->user_data) = table;
  return kTfLiteOk;
}

TfLiteStatus PrepareSoftmax(TfLiteContext* context, TfLiteNode* node) {
  return Prepare<int32_t>(context, node, "softmax", [](const TfLiteTensor& input) {
    return usmae_find_softmax_table(input.params.scale);
  });
}

TfLiteStatus PrepareLogistic(TfLiteContext* context, TfLiteNode* node) {
  return Prepare<int8_t>(context, node, "logistic", [](const TfLiteTensor& input) {
    return usmae_find_logistic_table(input.params.scale, input.params.zero_point);
  });
}

TfLiteStatus EvalSoftmax(TfLiteContext* context, TfLiteNode* node) {
  const TfLiteEvalTensor* input = GetEvalInput(context, node, 0);
  TfLiteEvalTensor* output = GetEvalOutput(context, node, 0);
  const size_t depth = static_cast<size_t>(input->dims->data[input->dims->size - 1]);
  usmae_softmax(GetTensorData<int8_t>(input), GetTensorData<int8_t>(output),
                Count(input) / depth, depth, *static_cast<const int32_t**>(node->user_data));
  return kTfLiteOk;
}

TfLiteStatus EvalLogistic(TfLiteContext* context, TfLiteNode* node) {
  const TfLiteEvalTensor* input = GetEvalInput(context, node, 0);
  TfLiteEvalTensor* output = GetEvalOutput(context, node, 0);
  usmae_logistic(GetTensorData<int8_t>(input), GetTensorData<int8_t>(output),
                 Count(input), *static_cast<const int8_t**>(node->user_data));
  return kTfLiteOk;
}

TFLMRegistration MakeSoftmax() { return RegisterOp(Init, PrepareSoftmax, EvalSoftmax); }

TFLMRegistration MakeLogistic() { return RegisterOp(Init, PrepareLogistic, EvalLogistic); }

}  // namespace
}  // namespace micro
}  // namespace tflite

TFLMRegistration RegisterUsmaeSoftmax() { return tflite::micro::MakeSoftmax(); }

TFLMRegistration RegisterUsmaeLogistic() { return tflite::micro::MakeLogistic(); }
