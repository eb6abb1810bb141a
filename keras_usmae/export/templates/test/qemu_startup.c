/* Reset code of the emulated Cortex-M boards, for `make qemu` only: a firmware project brings its own. */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t usmae_stack_top, usmae_data_load, usmae_data_start, usmae_data_end, usmae_bss_start, usmae_bss_end;
extern void initialise_monitor_handles(void);
extern int main(void);

/* newlib's exit() calls these; there is nothing to do. */
void _init(void);
void _fini(void);
void _init(void) {}
void _fini(void) {}

static void reset(void) {
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: full access to the FPU */
    __asm__ volatile("dsb\n isb");
    uint32_t *from = &usmae_data_load;
    for (uint32_t *to = &usmae_data_start; to < &usmae_data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = &usmae_bss_start; to < &usmae_bss_end;) {
        *to++ = 0;
    }
    initialise_monitor_handles();
    exit(main());
}

static void fault(void) { abort(); }

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)&usmae_stack_top, (uintptr_t)reset, (uintptr_t)fault, (uintptr_t)fault,
    (uintptr_t)fault,            (uintptr_t)fault, (uintptr_t)fault,
};
