/* The kernels of lookup.c for TFLM: RegisterUsmaeOps of op_resolver.h puts them in place of its own. */
#ifndef USMAE_KERNELS_H
#define USMAE_KERNELS_H

#include "tensorflow/lite/micro/kernels/kernel_util.h"

TFLMRegistration RegisterUsmaeSoftmax();
TFLMRegistration RegisterUsmaeLogistic();

#endif
