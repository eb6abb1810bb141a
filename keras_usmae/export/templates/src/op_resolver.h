/* The $num_operators operators of the model, and no others: what is not registered is not linked. Written by keras_usmae. */
#ifndef USMAE_OP_RESOLVER_H
#define USMAE_OP_RESOLVER_H

${kernel_include}#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using UsmaeOpResolver = tflite::MicroMutableOpResolver<$num_operators>;

inline TfLiteStatus RegisterUsmaeOps(UsmaeOpResolver& resolver) {
$registrations
  return kTfLiteOk;
}

#endif
