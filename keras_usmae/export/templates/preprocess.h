/* From a raw ADC buffer to the input tensor of the model. */
#ifndef USMAE_PREPROCESS_H
#define USMAE_PREPROCESS_H

#include <stdint.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { USMAE_OK = 0, USMAE_CONSTANT_SIGNAL = 1, USMAE_INFER_FAILED = 2, USMAE_TOO_MANY_PICKS = 3, USMAE_BAD_ARGUMENT = 4 };

/* Standardises a signal to mean 0 and variance 1, and quantises it. Offset and gain of the recorder do not matter.
 *
 * signal: USMAE_SIGNAL_LENGTH samples at USMAE_SAMPLING_RATE_HZ.
 * quantized: where the input tensor's USMAE_SIGNAL_LENGTH values go.
 * Returns USMAE_OK, or USMAE_CONSTANT_SIGNAL for a signal without variance, and then writes nothing.
 */
int usmae_preprocess(const int16_t *signal, usmae_quantized_t *quantized);

#ifdef __cplusplus
}
#endif

#endif
