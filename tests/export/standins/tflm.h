/* The little of TFLM that the C++ of a firmware folder uses: its signatures, and tensors that a test fills. */
#ifndef STANDIN_TFLM_H
#define STANDIN_TFLM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum TfLiteStatus { kTfLiteOk, kTfLiteError };
enum TfLiteType { kTfLiteNoType = 0, kTfLiteFloat32 = 1, kTfLiteInt16 = 7, kTfLiteInt8 = 9 };
#define TF_LITE_ENSURE_STATUS(a)         \
  do {                                   \
    const TfLiteStatus status_ = (a);    \
    if (status_ != kTfLiteOk) return status_; \
  } while (0)
#define TFLITE_SCHEMA_VERSION (3)

struct TfLiteIntArray {
  int size;
  int data[5];
};
union TfLitePtrUnion {
  void* data;
  char* raw;
  int8_t* int8;
  int16_t* i16;
};
struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
};
struct TfLiteTensor {
  TfLiteType type;
  TfLitePtrUnion data;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  size_t bytes;
};
struct TfLiteEvalTensor {
  TfLitePtrUnion data;
  TfLiteIntArray* dims;
  TfLiteType type;
};
struct TfLiteContext {
  void* (*AllocatePersistentBuffer)(TfLiteContext* context, size_t bytes);
  TfLiteTensor* input;  // of the one node under test
  TfLiteEvalTensor* eval_input;
  TfLiteEvalTensor* eval_output;
};
struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  void* user_data;
};
struct TFLMRegistration {
  void* (*init)(TfLiteContext* context, const char* buffer, size_t length);
  TfLiteStatus (*prepare)(TfLiteContext* context, TfLiteNode* node);
  TfLiteStatus (*invoke)(TfLiteContext* context, TfLiteNode* node);
};

inline void MicroPrintf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n");
}

namespace tflite {

struct Model {
  uint32_t schema;
  uint32_t version() const { return schema; }
};
const Model* GetModel(const void* buffer);  // the test's

class MicroContext {
 public:
  explicit MicroContext(TfLiteContext* context) : context_(context) {}
  TfLiteTensor* AllocateTempInputTensor(const TfLiteNode*, int) { ++held; return context_->input; }
  void DeallocateTempTfLiteTensor(TfLiteTensor*) { --held; }
  static int held;

 private:
  TfLiteContext* context_;
};
inline MicroContext* GetMicroContext(TfLiteContext* context) {
  static MicroContext made(context);
  made = MicroContext(context);
  return &made;
}

namespace micro {
inline TFLMRegistration RegisterOp(void* (*init)(TfLiteContext*, const char*, size_t),
                                   TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*),
                                   TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*)) {
  return {init, prepare, invoke};
}
inline const TfLiteEvalTensor* GetEvalInput(const TfLiteContext* context, const TfLiteNode*, int) {
  return context->eval_input;
}
inline TfLiteEvalTensor* GetEvalOutput(const TfLiteContext* context, const TfLiteNode*, int) {
  return context->eval_output;
}
template <typename T>
T* GetTensorData(TfLiteEvalTensor* tensor) { return reinterpret_cast<T*>(tensor->data.raw); }
template <typename T>
const T* GetTensorData(const TfLiteEvalTensor* tensor) { return reinterpret_cast<const T*>(tensor->data.raw); }
}  // namespace micro

template <unsigned int tOpCount>
class MicroMutableOpResolver {
 public:
  unsigned int count = 0;
  TfLiteStatus Add() { return count++ < tOpCount ? kTfLiteOk : kTfLiteError; }
  TfLiteStatus AddSoftmax(const TFLMRegistration& registration) { softmax = registration; return Add(); }
  TfLiteStatus AddLogistic(const TFLMRegistration& registration) { logistic = registration; return Add(); }
  TFLMRegistration softmax = {}, logistic = {};
  TfLiteStatus AddSoftmax() { return Add(); }
  TfLiteStatus AddLogistic() { return Add(); }
  TfLiteStatus AddAbs() { return Add(); }
  TfLiteStatus AddAdd() { return Add(); }
  TfLiteStatus AddBatchMatMul() { return Add(); }
  TfLiteStatus AddFullyConnected() { return Add(); }
  TfLiteStatus AddL2Normalization() { return Add(); }
  TfLiteStatus AddMean() { return Add(); }
  TfLiteStatus AddMul() { return Add(); }
  TfLiteStatus AddReshape() { return Add(); }
  TfLiteStatus AddRsqrt() { return Add(); }
  TfLiteStatus AddTranspose() { return Add(); }
};

// What the test says that the interpreter does.
struct Standin {
  TfLiteStatus allocate = kTfLiteOk, invoke = kTfLiteOk;
  TfLiteTensor input = {}, output = {};
  uint8_t* arena = nullptr;
  size_t arena_used = 1001;
  void (*run)(const void* input, void* output) = nullptr;
};
extern Standin standin;

class MicroInterpreter {
 public:
  template <typename Resolver>
  MicroInterpreter(const Model*, const Resolver&, uint8_t* arena, size_t size) {
    if (reinterpret_cast<uintptr_t>(arena) % 16 || size % 16) abort();
    standin.arena = arena;
  }
  TfLiteStatus AllocateTensors() { return standin.allocate; }
  TfLiteStatus Invoke() {
    if (standin.invoke == kTfLiteOk) standin.run(standin.input.data.data, standin.output.data.data);
    return standin.invoke;
  }
  size_t inputs_size() const { return 1; }
  size_t outputs_size() const { return 1; }
  TfLiteTensor* input(size_t) { return &standin.input; }
  TfLiteTensor* output(size_t) { return &standin.output; }
  size_t arena_used_bytes() const { return standin.arena_used; }
};

}  // namespace tflite

#endif
