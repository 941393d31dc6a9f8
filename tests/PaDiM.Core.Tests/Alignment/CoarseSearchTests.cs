using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

public sealed class CoarseSearchTests
{
    [Theory]
    [InlineData(20, 0.15)]
    [InlineData(33, 0.1)]
    [InlineData(48, 0.15)]
    public void The_best_shift_equals_that_of_the_plain_sums(int side, double largestShift)
    {
        var template = MovedPart.Texture(side, 3, 1);
        var image = MovedPart.Texture(side, 3, 2);
        var search = new CoarseSearch(template, new Grid(side, side), side, 0, largestShift);
        var best = Assert.Single(search.FindCandidates(GradientField.FromPlane(image, new Grid(side, side))));
        var a = GradientField.FromPlane(template, new Grid(side, side));
        var b = GradientField.FromPlane(image, new Grid(side, side));
        var reach = (int)Math.Ceiling(side * largestShift);
        var highest = double.NegativeInfinity;
        for (var dy = -reach; dy <= reach; dy++)
        for (var dx = -reach; dx <= reach; dx++)
            highest = Math.Max(highest, Twin(a, b, dx, dy));
        Assert.Equal(highest, best.Score, 1e-3);
        Assert.Equal(highest, Twin(a, b, (int)best.Transform.ShiftX, (int)best.Transform.ShiftY), 1e-3);
    }

    [Theory]
    [InlineData(10, 2, -4)]
    [InlineData(-15, -7, 7)]
    [InlineData(0, 7, 0)]
    public void A_moved_part_is_found_to_a_step(double degrees, double shiftX, double shiftY)
    {
        var moved = MovedPart.Draw(48, new RigidTransform(degrees * Math.PI / 180, shiftX, shiftY));
        var search = new CoarseSearch(
            MovedPart.Draw(48, RigidTransform.Identity),
            new Grid(48, 48),
            48,
            RigidRegistration.MaxAngle,
            RigidRegistration.MaxShift
        );
        var best = search.FindCandidates(GradientField.FromPlane(moved, new Grid(48, 48)))[0].Transform;
        Assert.Equal(degrees, best.Angle * 180 / Math.PI, 2.51);
        Assert.Equal(shiftX, best.ShiftX, 1.01);
        Assert.Equal(shiftY, best.ShiftY, 1.01);
    }

    private static double Twin(GradientField template, GradientField image, int dx, int dy)
    {
        var sum = 0.0;
        var side = template.Size.Width;
        for (var y = 0; y < side; y++)
        for (var x = 0; x < side; x++)
            if (x + dx >= 0 && y + dy >= 0 && x + dx < side && y + dy < side)
                for (var k = 0; k < 2; k++)
                    sum +=
                        template.Values[2 * (y * side + x) + k]
                        * (double)image.Values[2 * ((y + dy) * side + x + dx) + k];
        return sum;
    }
}
