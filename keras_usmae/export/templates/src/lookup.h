/* Softmax and logistic function in int8 by tables, equal to TFLM's reference kernels and to CMSIS-NN to the last bit. */
#ifndef USMAE_LOOKUP_H
#define USMAE_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float scale;                /* of the input tensor */
    const int32_t *exponential; /* 256: 2^31 times exp(-k * scale) */
} usmae_softmax_table_t;

typedef struct {
    float scale; /* of the input tensor */
    int32_t zero_point;
    const int8_t *logistic; /* 256: for each input, from -128 on */
} usmae_logistic_table_t;

/* Those of this model: one for each scale that occurs. */
extern const usmae_softmax_table_t usmae_softmax_tables[];
extern const size_t usmae_num_softmax_tables;
extern const usmae_logistic_table_t usmae_logistic_tables[];
extern const size_t usmae_num_logistic_tables;

/* The exponentials for an input scale, NULL where the model has no such. */
const int32_t *usmae_find_softmax_table(float scale);

/* The table for an input scale and zero point, NULL where the model has no such. */
const int8_t *usmae_find_logistic_table(float scale, int32_t zero_point);

/* Rows of `depth` values; output = 256 times the share of a value, less 128. */
void usmae_softmax(const int8_t *input, int8_t *output, size_t rows, size_t depth, const int32_t *exponential);

void usmae_logistic(const int8_t *input, int8_t *output, size_t count, const int8_t *table);

#ifdef __cplusplus
}
#endif

#endif
