# The block design: the processor, both units with a DMA engine each, and the controller of their interrupts, all on pl_clk0.

namespace eval ebmhw {
    variable ps zynq_ultra_ps_e_0
    variable reset reset_0
    variable control smartconnect_control
    variable memory smartconnect_memory
    variable lines interrupt_lines
    # How far the clock that the PLLs allow may be off the one asked for.
    variable clock_tolerance 0.005
    # Bits of the DMA engines' addresses: the upper 2 GiB of the KV260's memory lie at 0x8_0000_0000.
    variable address_bits 40
}

proc ebmhw::new_cell {vlnv name args} {
    if {[get_ipdefs -quiet -all $vlnv*] eq ""} {
        error "this Vivado's catalogue has no IP $vlnv; install it, or use a version that has it (2022.1 to 2024.2 do)"
    }
    set cell [create_bd_cell -type ip -vlnv $vlnv $name]
    if {[llength $args]} {
        set_property -dict $args $cell
    }
    return $cell
}

proc ebmhw::connect {from to} {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}

# Connects a pin that drives to those that it drives.
proc ebmhw::drive {from args} {
    set pins [list [get_bd_pins $from]]
    foreach pin $args {
        lappend pins [get_bd_pins $pin]
    }
    connect_bd_net {*}$pins
}

proc ebmhw::make_block_design {settings} {
    variable ps
    variable reset
    variable control
    variable memory
    variable lines
    set units [dict get $settings units]
    set controller [dict get $settings interrupt_controller]
    create_bd_design [dict get $settings design]
    current_bd_design [dict get $settings design]

    make_processor $settings
    new_cell xilinx.com:ip:proc_sys_reset:5.0 $reset
    new_cell xilinx.com:ip:smartconnect:1.0 $control CONFIG.NUM_SI 1 CONFIG.NUM_MI [expr {2 * [llength $units] + 1}] CONFIG.NUM_CLKS 1
    new_cell xilinx.com:ip:smartconnect:1.0 $memory CONFIG.NUM_SI [expr {2 * [llength $units]}] CONFIG.NUM_MI 1 CONFIG.NUM_CLKS 1
    # One line to the processor, high while an input is high, not the bus of a MicroBlaze. The kinds of the inputs are set by hand: whether they
    # propagate through xlconcat depends on the version.
    new_cell [dict get $settings interrupt_controller_vlnv] $controller \
        CONFIG.C_IRQ_CONNECTION 1 CONFIG.C_IRQ_IS_LEVEL 1 CONFIG.C_IRQ_ACTIVE 0x1 CONFIG.C_HAS_FAST 0 \
        CONFIG.C_KIND_OF_INTR.VALUE_SRC USER CONFIG.C_KIND_OF_INTR 0x00000000 CONFIG.C_KIND_OF_LVL.VALUE_SRC USER CONFIG.C_KIND_OF_LVL 0xFFFFFFFF
    new_cell xilinx.com:ip:xlconcat:2.1 $lines CONFIG.NUM_PORTS [llength [dict get $settings interrupts]]
    foreach unit $units {
        new_cell [dict get $unit vlnv] [dict get $unit cell]
        make_dma $settings $unit
    }

    connect $ps/M_AXI_HPM0_FPD $control/S00_AXI
    connect $memory/M00_AXI $ps/S_AXI_HP0_FPD
    set slave 0
    set master 0
    foreach unit $units {
        set cell [dict get $unit cell]
        set dma [dict get $unit dma]
        connect [format %s/M%02d_AXI $control $slave] $cell/s_axi
        connect [format %s/M%02d_AXI $control [expr {$slave + 1}]] $dma/S_AXI_LITE
        connect $dma/M_AXI_MM2S [format %s/S%02d_AXI $memory $master]
        connect $dma/M_AXI_S2MM [format %s/S%02d_AXI $memory [expr {$master + 1}]]
        connect $dma/M_AXIS_MM2S $cell/s_axis
        connect $cell/m_axis $dma/S_AXIS_S2MM
        incr slave 2
        incr master 2
    }
    connect [format %s/M%02d_AXI $control $slave] $controller/s_axi

    connect_clocks $units $controller
    set input 0
    foreach pin [dict get $settings interrupts] {
        drive $pin $lines/In$input
        incr input
    }
    drive $lines/dout $controller/intr
    drive $controller/irq $ps/pl_ps_irq0

    assign_addresses $settings
    validate_bd_design
    save_bd_design
}

# The processor as the board's preset has it, with these of its ports: HPM0_FPD, HP0_FPD, pl_clk0, one reset and one interrupt.
proc ebmhw::make_processor {settings} {
    variable ps
    set cell [new_cell xilinx.com:ip:zynq_ultra_ps_e $ps]
    apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e -config {apply_board_preset "1"} $cell
    set ports [list CONFIG.PSU__USE__M_AXI_GP0 1 CONFIG.PSU__USE__M_AXI_GP1 0 CONFIG.PSU__USE__M_AXI_GP2 0]
    foreach port {ACE ACP GP0 GP1 GP3 GP4 GP5 GP6} {
        lappend ports CONFIG.PSU__USE__S_AXI_$port 0
    }
    lappend ports CONFIG.PSU__USE__S_AXI_GP2 1
    lappend ports CONFIG.PSU__MAXIGP0__DATA_WIDTH [dict get $settings control_bits]
    lappend ports CONFIG.PSU__SAXIGP2__DATA_WIDTH [dict get $settings dma_memory_bits]
    lappend ports CONFIG.PSU__USE__IRQ0 1 CONFIG.PSU__USE__IRQ1 0
    lappend ports CONFIG.PSU__USE__FABRIC__RST 1 CONFIG.PSU__NUM_FABRIC_RESETS 1
    lappend ports CONFIG.PSU__FPGA_PL0_ENABLE 1 CONFIG.PSU__FPGA_PL1_ENABLE 0 CONFIG.PSU__FPGA_PL2_ENABLE 0 CONFIG.PSU__FPGA_PL3_ENABLE 0
    set_property -dict $ports $cell
    set_clock $cell [dict get $settings clock_mhz]
}

# Takes the first PLL whose divider makes the clock: on the K26 IOPLL runs at 1000 MHz, which makes all choices, unless a preset says otherwise.
proc ebmhw::set_clock {cell mhz} {
    variable clock_tolerance
    set came {}
    foreach pll {IOPLL RPLL DPLL} {
        set_property -dict [list CONFIG.PSU__CRL_APB__PL0_REF_CTRL__SRCSEL $pll CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $mhz] $cell
        set got [get_property CONFIG.PSU__CRL_APB__PL0_REF_CTRL__ACT_FREQMHZ $cell]
        if {abs($got - $mhz) <= $clock_tolerance * $mhz} {
            puts "pl_clk0 runs at $got MHz, from $pll"
            return
        }
        lappend came "$got MHz from $pll"
    }
    error "pl_clk0 cannot run at $mhz MHz with the board's PLLs, only at [join $came {, }]; choose another --clock"
}

# Simple mode, both channels. Width of a stream and of its memory port may differ (PG021: the stream is at most as wide); addresses are multiples
# of the memory port's width, for there is no realignment.
proc ebmhw::make_dma {settings unit} {
    variable address_bits
    set bits [dict get $settings dma_memory_bits]
    new_cell [dict get $settings dma_vlnv] [dict get $unit dma] \
        CONFIG.c_include_sg 0 CONFIG.c_sg_include_stscntrl_strm 0 CONFIG.c_sg_length_width [dict get $settings dma_length_bits] \
        CONFIG.c_addr_width $address_bits \
        CONFIG.c_include_mm2s 1 CONFIG.c_include_mm2s_dre 0 CONFIG.c_mm2s_burst_size 16 \
        CONFIG.c_m_axi_mm2s_data_width $bits CONFIG.c_m_axis_mm2s_tdata_width [dict get $unit job_bits] \
        CONFIG.c_include_s2mm 1 CONFIG.c_include_s2mm_dre 0 CONFIG.c_s2mm_burst_size 16 \
        CONFIG.c_m_axi_s2mm_data_width $bits CONFIG.c_s_axis_s2mm_tdata_width [dict get $unit result_bits]
}

proc ebmhw::connect_clocks {units controller} {
    variable ps
    variable reset
    variable control
    variable memory
    set clocked [list $ps/maxihpm0_fpd_aclk $ps/saxihp0_fpd_aclk $reset/slowest_sync_clk $control/aclk $memory/aclk $controller/s_axi_aclk]
    set high {}
    set low [list $controller/s_axi_aresetn]
    foreach unit $units {
        set dma [dict get $unit dma]
        lappend clocked [dict get $unit cell]/clk $dma/s_axi_lite_aclk $dma/m_axi_mm2s_aclk $dma/m_axi_s2mm_aclk
        lappend high [dict get $unit cell]/rst
        lappend low $dma/axi_resetn
    }
    drive $ps/pl_clk0 {*}$clocked
    drive $ps/pl_resetn0 $reset/ext_reset_in
    drive $reset/interconnect_aresetn $control/aresetn $memory/aresetn
    drive $reset/peripheral_aresetn {*}$low
    drive $reset/peripheral_reset {*}$high
}

proc ebmhw::assign_addresses {settings} {
    variable ps
    set range [dict get $settings register_range]
    set slaves [list [dict get $settings interrupt_controller_address] [dict get $settings interrupt_controller]/S_AXI/Reg]
    foreach unit [dict get $settings units] {
        lappend slaves [dict get $unit address] [dict get $unit cell]/s_axi/Reg [dict get $unit dma_address] [dict get $unit dma]/S_AXI_LITE/Reg
    }
    foreach {address segment} $slaves {
        assign $address $range $ps/Data $segment
    }
    foreach unit [dict get $settings units] {
        foreach channel {Data_MM2S Data_S2MM} {
            set space [dict get $unit dma]/$channel
            assign 0x00000000 0x80000000 $space $ps/SAXIGP2/HP0_DDR_LOW
            assign 0x800000000 0x80000000 $space $ps/SAXIGP2/HP0_DDR_HIGH
            # Memory is all that the engines are to reach.
            foreach other {HP0_QSPI HP0_LPS_OCM HP0_PCIE_LOW HP0_PCIE_HIGH1 HP0_PCIE_HIGH2} {
                set segment [get_bd_addr_segs -quiet $ps/SAXIGP2/$other]
                if {$segment ne ""} {
                    exclude_bd_addr_seg -target_address_space [get_bd_addr_spaces $space] $segment
                }
            }
        }
    }
}

proc ebmhw::assign {address range space segment} {
    set target [get_bd_addr_segs -quiet $segment]
    if {$target eq ""} {
        error "the block design has no address segment $segment"
    }
    assign_bd_address -offset $address -range $range -target_address_space [get_bd_addr_spaces $space] $target -force
}
