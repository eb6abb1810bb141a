#include "model_data.h"

alignas(16) extern const unsigned char g_usmae_model[] = {
$bytes
};
extern const unsigned int g_usmae_model_size = $size;
