/* A whole program: the golden signals through the model, one by one and as a stream. Put your ADC in their place. */
#include <stdio.h>

#include "golden_vectors.h"
#include "usmae.h"

static usmae_stream_t stream;
static usmae_pick_t picks[16];

static void print(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    printf("  %.3f us +- %.3f us, confidence %.2f\n",
           static_cast<double>(picks[i].onset_samples * USMAE_MICROSECONDS_PER_SAMPLE),
           static_cast<double>(picks[i].half_width_samples * USMAE_MICROSECONDS_PER_SAMPLE),
           static_cast<double>(picks[i].confidence));
  }
}

int main() {
  int status = usmae_setup();
  if (status != USMAE_OK) {
    printf("set-up: %d, see usmae.h\n", status);
    return 1;
  }
  printf("arena: %u of %u bytes\n", static_cast<unsigned>(usmae_arena_bytes()), static_cast<unsigned>(USMAE_ARENA_BYTES));
  size_t count = 0;
  for (int i = 0; i < USMAE_GOLDEN_COUNT; ++i) {
    status = usmae_pick(usmae_golden_signal[i], picks, 16, &count);
    printf("signal %d: status %d, %u picks\n", i, status, static_cast<unsigned>(count));
    print(count);
  }

  // Longer records, in blocks as they come; here the halves of a buffer that DMA fills.
  usmae_open_stream(&stream);
  usmae_begin(&stream, picks, 16);
  const size_t half = 512;
  for (size_t i = 0; i < USMAE_GOLDEN_RECORD_LENGTH; i += half) {
    const size_t left = USMAE_GOLDEN_RECORD_LENGTH - i;
    status = usmae_push(&stream, usmae_golden_record + i, left < half ? left : half);
    if (status != USMAE_OK) {
      printf("stream: %d\n", status);
      return 1;
    }
  }
  status = usmae_finish(&stream, &count);
  printf("record: status %d, %u picks\n", status, static_cast<unsigned>(count));
  print(count);
  return 0;
}
