using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

public sealed class RigidTransformTests
{
    [Fact]
    public void The_identity_leaves_every_point() =>
        Assert.Equal((3.25, 7.5), RigidTransform.Identity.Map(3.25, 7.5, new Grid(64, 64)));

    [Fact]
    public void A_quarter_turn_is_about_the_centre_and_takes_x_to_y()
    {
        var (x, y) = new RigidTransform(Math.PI / 2, 1, 2).Map(9, 4.5, new Grid(10, 10));
        Assert.Equal(4.5 + 1, x, 1e-12);
        Assert.Equal(9 + 2, y, 1e-12);
    }

    [Theory]
    [InlineData(0.2, 3, -5)]
    [InlineData(-0.25, -30.5, 12)]
    [InlineData(3, 100, 0)]
    public void The_inverse_leads_back(double angle, double shiftX, double shiftY)
    {
        var transform = new RigidTransform(angle, shiftX, shiftY);
        var (x, y) = transform.Map(11, 95, new Grid(128, 128));
        (x, y) = transform.Inverse().Map(x, y, new Grid(128, 128));
        Assert.Equal(11, x, 1e-9);
        Assert.Equal(95, y, 1e-9);
    }

    [Fact]
    public void One_after_the_other_is_their_composition()
    {
        var first = new RigidTransform(0.2, 3, -5);
        var next = new RigidTransform(-0.1, 7, 1);
        var (x, y) = first.Map(10, 20, new Grid(64, 64));
        var expected = next.Map(x, y, new Grid(64, 64));
        var (composedX, composedY) = first.Then(next).Map(10, 20, new Grid(64, 64));
        Assert.Equal(expected.X, composedX, 1e-9);
        Assert.Equal(expected.Y, composedY, 1e-9);
    }
}
