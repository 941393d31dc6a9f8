using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

public sealed class PlaneReductionTests
{
    [Theory]
    [InlineData(12, 12)]
    [InlineData(12, 4)]
    [InlineData(13, 5)]
    [InlineData(7, 6)]
    [InlineData(5, 1)]
    public void Each_value_is_the_mean_of_many_points_of_its_area(int side, int target)
    {
        var plane = MovedPart.Texture(side, 2, 3);
        var reduced = PlaneReduction.Reduce(plane, new Grid(side, side), (double)side / target);
        // side * target points per axis hit every pixel and every area equally often, so the mean over points is exact.
        for (var y = 0; y < target; y++)
        for (var x = 0; x < target; x++)
        {
            var sum = 0.0;
            for (var v = 0; v < side; v++)
            for (var u = 0; u < side; u++)
                sum += plane[(y * side + v) / target * side + (x * side + u) / target];
            Assert.Equal(sum / (side * side), reduced[y * target + x], 1e-3);
        }
    }
}
