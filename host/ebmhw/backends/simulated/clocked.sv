// A unit with every input behind a flip-flop, so that a simulator has nothing to compute between two edges of the clock.
//
// Without it Verilator evaluates all logic that an input reaches, the reset among them, once for each edge and once more for the
// flip-flops: the Ising core takes three times as long. What `harness.cpp` sets before an edge are the unit's inputs after it.

module clocked (
    input clk,
    input rst,
    input [`EBMHW_ADDRESS_BITS-1:0] s_axi_awaddr,
    input s_axi_awvalid,
    output s_axi_awready,
    input [31:0] s_axi_wdata,
    input s_axi_wvalid,
    output s_axi_wready,
    output [1:0] s_axi_bresp,
    output s_axi_bvalid,
    input s_axi_bready,
    input [`EBMHW_ADDRESS_BITS-1:0] s_axi_araddr,
    input s_axi_arvalid,
    output s_axi_arready,
    output [31:0] s_axi_rdata,
    output [1:0] s_axi_rresp,
    output s_axi_rvalid,
    input s_axi_rready,
    input [`EBMHW_JOB_BITS-1:0] s_axis_tdata,
    input s_axis_tlast,
    input s_axis_tvalid,
    output s_axis_tready,
    output [`EBMHW_RESULT_BITS-1:0] m_axis_tdata,
    output m_axis_tlast,
    output m_axis_tvalid,
    input m_axis_tready
);
  reg rst_q = 1;
  reg [`EBMHW_ADDRESS_BITS-1:0] awaddr, araddr;
  reg awvalid = 0, wvalid = 0, bready = 0, arvalid = 0, rready = 0;
  reg [31:0] wdata;
  reg [`EBMHW_JOB_BITS-1:0] tdata;
  reg tlast, tvalid = 0, tready = 0;

  always @(posedge clk) begin
    rst_q <= rst;
    awaddr <= s_axi_awaddr;
    awvalid <= s_axi_awvalid;
    wdata <= s_axi_wdata;
    wvalid <= s_axi_wvalid;
    bready <= s_axi_bready;
    araddr <= s_axi_araddr;
    arvalid <= s_axi_arvalid;
    rready <= s_axi_rready;
    tdata <= s_axis_tdata;
    tlast <= s_axis_tlast;
    tvalid <= s_axis_tvalid;
    tready <= m_axis_tready;
  end

  `EBMHW_UNIT unit (
      .clk(clk),
      .rst(rst_q),
      .s_axi_awaddr(awaddr),
      .s_axi_awprot(3'b000),
      .s_axi_awvalid(awvalid),
      .s_axi_awready(s_axi_awready),
      .s_axi_wdata(wdata),
      .s_axi_wstrb(4'b1111),
      .s_axi_wvalid(wvalid),
      .s_axi_wready(s_axi_wready),
      .s_axi_bresp(s_axi_bresp),
      .s_axi_bvalid(s_axi_bvalid),
      .s_axi_bready(bready),
      .s_axi_araddr(araddr),
      .s_axi_arprot(3'b000),
      .s_axi_arvalid(arvalid),
      .s_axi_arready(s_axi_arready),
      .s_axi_rdata(s_axi_rdata),
      .s_axi_rresp(s_axi_rresp),
      .s_axi_rvalid(s_axi_rvalid),
      .s_axi_rready(rready),
      .s_axis_tdata(tdata),
      .s_axis_tkeep({`EBMHW_JOB_BITS / 8{1'b1}}),
      .s_axis_tlast(tlast),
      .s_axis_tvalid(tvalid),
      .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tkeep(),
      .m_axis_tlast(m_axis_tlast),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(tready),
      .interrupt()
  );
endmodule
