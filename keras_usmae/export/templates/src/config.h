/* What the model expects and gives. Written by keras_usmae; do not edit. */
#ifndef USMAE_CONFIG_H
#define USMAE_CONFIG_H

#include <stdint.h>

/* The first 32 bits of the SHA-256 of model.tflite; usmae_setup compares it with that of model_data.cc. */
#define USMAE_MODEL_HASH ${hash}u

#define USMAE_SIGNAL_LENGTH $signal_length
#define USMAE_SAMPLING_RATE_HZ ${sampling_rate}f
#define USMAE_MICROSECONDS_PER_SAMPLE ${microseconds_per_sample}f

/* Bin k covers onsets from k to k + 1 times the bin width, in samples. */
#define USMAE_NUM_BINS $num_bins
#define USMAE_BIN_WIDTH $bin_width
#define USMAE_BIN_MICROSECONDS ${bin_microseconds}f

/* 1: the bins exclude each other, and a signal holds one echo. 0: each bin has a probability of its own. */
#define USMAE_SOFTMAX $softmax

/* Picks that are less sure are dropped; README.md says how it was chosen. */
#define USMAE_MIN_CONFIDENCE ${min_confidence}f
/* The variance of the probability around a pick, less that of the targets of the training and of a bin, is the network's
 * own doubt. Half of the interval is 1.959964 times the scale times the root of the doubt plus the floor squared. */
#define USMAE_INTERVAL_SCALE ${interval_scale}f
#define USMAE_INTERVAL_FLOOR ${interval_floor}f /* samples */
#define USMAE_LABEL_SIGMA ${label_sigma}f       /* samples */

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
 * usmae_arena_bytes(), which is MicroInterpreter::arena_used_bytes() rounded up to a multiple of 16. */
#ifndef USMAE_ARENA_BYTES
#define USMAE_ARENA_BYTES $arena_bytes
#endif

#endif
