/* The $num_operators operators of the model, and no others: what is not registered is not linked. Written by keras_usmae. */
#ifndef USMAE_OP_RESOLVER_H
#define USMAE_OP_RESOLVER_H

${kernel_include}#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

/* With -DUSMAE_ETHOS_U, for a model that went through Vela, one more: what the NPU runs. */
#ifdef USMAE_ETHOS_U
using UsmaeOpResolver = tflite::MicroMutableOpResolver<$num_operators + 1>;
#else
using UsmaeOpResolver = tflite::MicroMutableOpResolver<$num_operators>;
#endif

inline TfLiteStatus RegisterUsmaeOps(UsmaeOpResolver& resolver) {
$registrations
#ifdef USMAE_ETHOS_U
  TF_LITE_ENSURE_STATUS(resolver.AddEthosU());
#endif
  return kTfLiteOk;
}

#endif
