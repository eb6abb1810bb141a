/* From a raw ADC buffer to the input tensor of the model. */
#ifndef USMAE_PREPROCESS_H
#define USMAE_PREPROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    USMAE_OK = 0,
    USMAE_CONSTANT_SIGNAL = 1, /* no variance: nothing to pick */
    USMAE_INFER_FAILED = 2,
    USMAE_TOO_MANY_PICKS = 3, /* the weakest were dropped, the others are there */
    USMAE_BAD_ARGUMENT = 4
};

/* Standardises a signal to mean 0 and variance 1, and quantises it. Offset and gain of the recorder do not matter.
 *
 * signal: USMAE_SIGNAL_LENGTH samples at USMAE_SAMPLING_RATE_HZ.
 * quantized: where the input tensor's USMAE_SIGNAL_LENGTH values go.
 * Returns USMAE_OK, or USMAE_CONSTANT_SIGNAL for a signal without variance, and then writes nothing.
 */
int usmae_preprocess(const int16_t *signal, usmae_quantized_t *quantized);

/* The same for a signal in a ring buffer of `size` samples, at least USMAE_SIGNAL_LENGTH, that begins at `first`. */
int usmae_preprocess_ring(const int16_t *ring, size_t size, size_t first, usmae_quantized_t *quantized);

/* Turns the samples of an ADC with offset-binary output, right-aligned and of up to 16 bits, into signed ones, in place.
 * Returns the same buffer. What is left of the offset does not matter, see above. */
const int16_t *usmae_from_offset_binary(uint16_t *samples, size_t count);

#ifdef __cplusplus
}
#endif

#endif
