import * as echarts from 'echarts';
import type { Bucket, Judged } from '../../core/drill';

const SIZE = { width: 960, height: 460 };

/** Calls a second and nodes that serve over the seconds from the fault on, with fault, detection and recovery marked; an SVG. */
export function drillPlot({ verdict, experiment }: Judged): string {
  const { ledger, fault } = experiment;
  const second = (at: number) => (at - fault.at) / 1000;
  const perSecond = 1000 / ledger.everyMs;
  const points = (of: (bucket: Bucket) => number | null) =>
    ledger.buckets.flatMap((bucket) => {
      const value = of(bucket);
      return value === null ? [] : [[second(bucket.at), value]];
    });
  const marks = [
    { name: 'fault', xAxis: 0 },
    ...(verdict.detectedMs === undefined ? [] : [{ name: 'detected', xAxis: verdict.detectedMs / 1000 }]),
    ...(verdict.recoveredAt === undefined ? [] : [{ name: 'recovered', xAxis: second(verdict.recoveredAt) }]),
  ];
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  try {
    chart.setOption({
      animation: false,
      legend: { top: 0 },
      grid: [
        { top: 60, height: 220, left: 60, right: 30 },
        { top: 330, height: 80, left: 60, right: 30 },
      ],
      xAxis: [0, 1].map((gridIndex) => ({
        type: 'value' as const,
        gridIndex,
        min: 'dataMin' as const,
        max: 'dataMax' as const,
        ...(gridIndex === 1
          ? { name: 'seconds from the fault on', nameLocation: 'middle' as const, nameGap: 28 }
          : {}),
      })),
      yAxis: [
        { gridIndex: 0, name: 'calls a second' },
        { gridIndex: 1, name: 'nodes that serve', minInterval: 1 },
      ],
      series: [
        {
          name: 'answered',
          type: 'line',
          showSymbol: false,
          data: points(({ ok }) => ok * perSecond),
          markLine: {
            symbol: 'none',
            label: { formatter: '{b}' },
            lineStyle: { color: '#444' },
            data: marks,
          },
        },
        {
          name: 'failed',
          type: 'line',
          showSymbol: false,
          color: '#b3261e',
          areaStyle: {},
          data: points(({ failed }) => failed * perSecond),
        },
        {
          name: 'nodes that serve',
          type: 'line',
          step: 'end',
          showSymbol: false,
          xAxisIndex: 1,
          yAxisIndex: 1,
          data: points(({ serving }) => serving),
        },
      ],
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
