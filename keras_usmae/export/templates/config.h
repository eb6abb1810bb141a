/* What the model expects and gives. Written by keras_usmae; do not edit. */
#ifndef USMAE_CONFIG_H
#define USMAE_CONFIG_H

#include <stdint.h>

#define USMAE_SIGNAL_LENGTH $signal_length
#define USMAE_SAMPLING_RATE_HZ ${sampling_rate}f
#define USMAE_MICROSECONDS_PER_SAMPLE ${microseconds_per_sample}f

/* ToF classes: class k covers onsets from k to k + 1 times the bin width, in samples. */
#define USMAE_NUM_CLASSES $num_classes
#define USMAE_BIN_WIDTH $bin_width
#define USMAE_BIN_MICROSECONDS ${bin_microseconds}f
#define USMAE_DECODE_RADIUS $decode_radius

/* real = (quantised - zero point) * scale. The input is a signal of mean 0 and variance 1; the output are logits. */
typedef ${quantized_type} usmae_quantized_t;
#define USMAE_QUANTIZED_MIN ($quantized_min)
#define USMAE_QUANTIZED_MAX $quantized_max
#define USMAE_INPUT_SCALE ${input_scale}f
#define USMAE_INPUT_ZERO_POINT ($input_zero_point)
#define USMAE_OUTPUT_SCALE ${output_scale}f
#define USMAE_OUTPUT_ZERO_POINT ($output_zero_point)

/* Bytes of the tensor arena: $arena_measured measured on a 64-bit host with TFLM's reference kernels, and
 * $arena_margin % margin for the scratch memory of optimised kernels. A 32-bit core needs less for pointers: trim it to
 * MicroInterpreter::arena_used_bytes(). */
#define USMAE_ARENA_BYTES $arena_bytes

#endif
