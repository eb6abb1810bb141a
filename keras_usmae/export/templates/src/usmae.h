/* One call from samples to picks, on TFLM: set-up, single signals, and the stream for longer ones. */
#ifndef USMAE_USMAE_H
#define USMAE_USMAE_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "picks.h"
#include "preprocess.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What usmae_setup may answer, besides USMAE_OK. */
enum {
    USMAE_OTHER_MODEL = 16,   /* config.h and model_data.cc come from two exports */
    USMAE_OTHER_SCHEMA = 17,  /* TFLM reads another version of the file format */
    USMAE_NO_OPERATOR = 18,   /* op_resolver.h could not register one */
    USMAE_NO_MEMORY = 19,     /* AllocateTensors failed: the arena is too small, or a kernel refused a node */
    USMAE_OTHER_TENSORS = 20, /* type, size or scale of input or output are not those of config.h */
    USMAE_NOT_SET_UP = 21
};

/* Prepares the interpreter, before all others. Only the first call does so; later ones give its answer again. */
int usmae_setup(void);

/* Finds the echoes of one signal of USMAE_SIGNAL_LENGTH samples, in order of their onset.
 *
 * picks: where at most max_picks picks go. num_picks: their number.
 * Returns USMAE_OK, USMAE_CONSTANT_SIGNAL, USMAE_TOO_MANY_PICKS, USMAE_INFER_FAILED or USMAE_NOT_SET_UP.
 */
int usmae_pick(const int16_t *signal, usmae_pick_t *picks, size_t max_picks, size_t *num_picks);

/* Runs the model on what lies in its input tensor: the usmae_infer_t of this model. The context is not used. */
const usmae_quantized_t *usmae_infer(void *context);

/* Prepares a stream on this model, for usmae_begin, usmae_push and usmae_finish. Returns USMAE_OK or USMAE_NOT_SET_UP. */
int usmae_open_stream(usmae_stream_t *stream);

/* Bytes of the arena that are used, rounded up to a multiple of 16: what USMAE_ARENA_BYTES may be trimmed to on this
 * core, with these kernels. 0 before usmae_setup. */
size_t usmae_arena_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
