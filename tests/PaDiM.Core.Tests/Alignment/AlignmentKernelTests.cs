using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

/// <summary>The kernels of alignment and their slow twins.</summary>
public sealed class AlignmentKernelTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.2, 3.3, -2.7)]
    [InlineData(-0.25, -30, 12)]
    [InlineData(0, 200, 0)]
    public void Rows_are_sampled_between_four_pixels(double angle, double shiftX, double shiftY)
    {
        var size = new Grid(37, 50);
        var plane = Numbers(size.Positions, 1);
        var rows = new SampledRows(new RigidTransform(angle, shiftX, shiftY), size);
        for (var y = 0; y < size.Height; y++)
        {
            var values = new float[size.Width];
            var (first, end) = rows[y].FindInside(size.Width, size);
            rows[y].Sample(plane, size.Width, first, end, values);
            for (var x = 0; x < size.Width; x++)
            {
                var px = 24.5 + Math.Cos(angle) * (x - 24.5) - Math.Sin(angle) * (y - 18.0) + shiftX;
                var py = 18 + Math.Sin(angle) * (x - 24.5) + Math.Cos(angle) * (y - 18.0) + shiftY;
                var isInside = px >= 0 && py >= 0 && px < 49 && py < 36;
                // Rounding decides about points on the border itself.
                if (Math.Min(Math.Min(px, 49 - px), Math.Min(py, 36 - py)) is > -1e-9 and < 1e-9)
                    continue;
                Assert.Equal(isInside, x >= first && x < end);
                Assert.Equal(isInside ? Interpolate(plane, size.Width, px, py) : 0, values[x], 1e-4);
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(67)]
    [InlineData(3)]
    public void Equations_are_the_sums_over_all_pixels(int count)
    {
        var columns = Enumerable.Range(1, 5).Select(seed => Numbers(count, seed)).ToArray();
        var equations = new WeightedEquations(1.3f, 0.2f, 0.4f);
        const int Rows = 30;
        for (var row = 0; row < Rows; row++)
            equations.Add(columns[0], columns[1], columns[2], columns[3], columns[4]);
        var sums = new double[20];
        var squares = 0.0;
        for (var p = 0; p < count; p++)
        {
            double[] j = [columns[2][p], columns[3][p], columns[4][p], columns[1][p], 1];
            var residual = columns[0][p] - 1.3 * columns[1][p] - 0.2;
            var weight = Rows / (1 + residual * residual * 0.4);
            squares += weight * residual * residual;
            for (int i = 0, at = 0; i < 5; i++)
            {
                for (var k = i; k < 5; k++)
                    sums[at++] += weight * j[i] * j[k];
                sums[15 + i] += weight * j[i] * columns[0][p];
            }
        }
        for (var i = 0; i < sums.Length; i++)
            Assert.Equal(sums[i], equations.Sums[i], 1e-4 * Rows * count);
        Assert.Equal(squares, equations.Squares, 1e-4 * Rows * count);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(45)]
    public void Sums_of_eight_shifts_are_eight_sums(int length)
    {
        var field = Numbers(length, 6);
        var other = Numbers(length + 14, 7);
        var sums = new float[ShiftedSums.Count];
        ShiftedSums.Compute(field, other, sums);
        for (var k = 0; k < sums.Length; k++)
            Assert.Equal(field.Select((value, i) => (double)value * other[i + 2 * k]).Sum(), sums[k], 1e-4);
        Assert.Throws<ArgumentException>(() => ShiftedSums.Compute(field, other.AsSpan(1), sums));
    }

    private static double Interpolate(float[] plane, int width, double x, double y)
    {
        var (left, top) = ((int)x, (int)y);
        var (sx, sy) = (x - left, y - top);
        var at = top * width + left;
        return (1 - sy) * ((1 - sx) * plane[at] + sx * plane[at + 1])
            + sy * ((1 - sx) * plane[at + width] + sx * plane[at + width + 1]);
    }

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }
}
