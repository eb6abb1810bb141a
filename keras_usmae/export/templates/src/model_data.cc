#include "model_data.h"

/* Where the model lies: such as -DUSMAE_MODEL_SECTION='__attribute__((section(".qspi")))'. */
#ifndef USMAE_MODEL_SECTION
#define USMAE_MODEL_SECTION
#endif

USMAE_MODEL_SECTION alignas(16) extern const unsigned char g_usmae_model[] = {
$bytes
};
extern const unsigned int g_usmae_model_size = $size;
extern const uint32_t g_usmae_model_hash = ${hash}u;
