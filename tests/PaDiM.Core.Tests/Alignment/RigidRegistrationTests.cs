using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

public sealed class RigidRegistrationTests
{
    private const int Side = 256;
    private static readonly RigidRegistration Plate = new(
        MovedPart.Draw(Side, RigidTransform.Identity),
        new Grid(Side, Side)
    );

    public static TheoryData<double, double, double> Movements =>
        new()
        {
            { 0, 0, 0 },
            { 0, 6.5, -3.25 },
            { 1, 0, 0 },
            { 1.4, 0, 0 },
            { 1.8, 0, 0 },
            { -2, 4, 0 },
            { 0, 3, 0 },
            { -0.6, 0.8, 0.4 },
            { 3.3, 17, 9 },
            { -7.7, -20.3, 11 },
            { 10, 30, 30 },
            { -15, 5, -38 },
            { 15, -38, 38 },
        };

    [Theory]
    [MemberData(nameof(Movements))]
    public void A_moved_part_is_found(double degrees, double shiftX, double shiftY)
    {
        var truth = Movement(degrees, shiftX, shiftY);
        AssertFound(truth, Plate.Register(MovedPart.Draw(Side, truth)), 0.05, 0.1);
    }

    /// <summary>The middle of the square: its centre is the same, so the movement is too.</summary>
    [Theory]
    [InlineData(160, 256, 4, 8, -5)]
    [InlineData(160, 256, -6, -12, 9)]
    [InlineData(256, 150, 5, 10, 14)]
    [InlineData(200, 130, 0, 9, -7)]
    public void A_part_in_a_rectangle_is_found(int height, int width, double degrees, double shiftX, double shiftY)
    {
        var size = new Grid(height, width);
        var truth = Movement(degrees, shiftX, shiftY);
        var registration = new RigidRegistration(Cut(MovedPart.Draw(Side, RigidTransform.Identity)), size);
        var moved = MovedPart.Noisy(Cut(MovedPart.Draw(Side, truth)), 4, seed: 6);
        AssertFound(truth, registration.Register(moved), 0.3, 0.6);

        float[] Cut(float[] plane)
        {
            var left = (Side - width) / 2;
            return
            [
                .. Enumerable
                    .Range(0, size.Positions)
                    .Select(i => plane[(i / width + (Side - height) / 2) * Side + i % width + left]),
            ];
        }
    }

    [Theory]
    [MemberData(nameof(Movements))]
    public void Noise_and_other_light_do_not_hide_it(double degrees, double shiftX, double shiftY)
    {
        var truth = Movement(degrees, shiftX, shiftY);
        AssertFound(
            truth,
            Plate.Register(MovedPart.Noisy(MovedPart.Lit(MovedPart.Draw(Side, truth), 0.45, 40), 12, seed: 3))
        );
    }

    [Theory]
    [MemberData(nameof(Movements))]
    public void A_defect_on_a_tenth_of_the_image_does_not_hide_it(double degrees, double shiftX, double shiftY)
    {
        var truth = Movement(degrees, shiftX, shiftY);
        var broken = MovedPart.Painted(MovedPart.Draw(Side, truth), Side, 0.55, 0.2, 0.32, 0.31, 60);
        AssertFound(truth, Plate.Register(MovedPart.Noisy(broken, 4, seed: 4)));
        var bright = MovedPart.Painted(MovedPart.Draw(Side, truth), Side, 0.2, 0.45, 0.31, 0.32, 255);
        AssertFound(truth, Plate.Register(MovedPart.Noisy(bright, 4, seed: 5)));
    }

    [Theory]
    [MemberData(nameof(Movements))]
    public void Black_corners_and_missing_borders_do_not_hide_it(double degrees, double shiftX, double shiftY)
    {
        var truth = Movement(degrees, shiftX, shiftY);
        var moved = MovedPart.Noisy(MovedPart.Draw(Side, truth), 4, seed: 6);
        AssertFound(truth, Plate.Register(MovedPart.BlackCorners(moved, Side, truth.Angle)));
        AssertFound(truth, Plate.Register(MovedPart.Painted(moved, Side, 0, 0, 0.1, 1, 0)));
        AssertFound(truth, Plate.Register(MovedPart.Painted(moved, Side, 0, 0.9, 1, 0.1, 255)));
    }

    [Theory]
    [InlineData(32)]
    [InlineData(50)]
    [InlineData(100)]
    [InlineData(224)]
    [InlineData(500)]
    public void Other_sizes_are_registered_in_their_own_pixels(int side)
    {
        var truth = Movement(-6.2, 0.08 * side, -0.05 * side);
        var registration = new RigidRegistration(MovedPart.Draw(side, RigidTransform.Identity), new Grid(side, side));
        AssertFound(truth, registration.Register(MovedPart.Draw(side, truth)), side < 64 ? 0.5 : 0.25, 0.5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    public void Textures_without_common_structure_stay_where_they_are(int grain)
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var registration = new RigidRegistration(MovedPart.Texture(Side, grain, 2 * seed), new Grid(Side, Side));
            Assert.Equal(RigidTransform.Identity, registration.Register(MovedPart.Texture(Side, grain, 2 * seed + 1)));
        }
    }

    [Fact]
    public void Uneven_light_over_a_texture_is_no_structure()
    {
        static float[] Vignetted(int seed) =>
            [
                .. MovedPart
                    .Texture(Side, 2, seed)
                    .Select(
                        (value, i) =>
                            (float)(
                                value
                                * (
                                    1
                                    - 0.7
                                        * (Math.Pow(i % Side - 127.5, 2) + Math.Pow(i / Side - 127.5, 2))
                                        / (2 * 127.5 * 127.5)
                                )
                            )
                    ),
            ];
        Assert.Equal(
            RigidTransform.Identity,
            new RigidRegistration(Vignetted(1), new Grid(Side, Side)).Register(Vignetted(2))
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(117.3f)]
    public void Constant_planes_stay_where_they_are(float value)
    {
        float[] constant = [.. Enumerable.Repeat(value, Side * Side)];
        Assert.Equal(RigidTransform.Identity, Plate.Register(constant));
        Assert.Equal(RigidTransform.Identity, new RigidRegistration(constant, new Grid(Side, Side)).Register(constant));
        Assert.Equal(
            RigidTransform.Identity,
            new RigidRegistration(constant, new Grid(Side, Side)).Register(MovedPart.Draw(Side, Movement(5, 10, 0)))
        );
    }

    [Fact]
    public void A_ring_is_shifted_and_not_turned()
    {
        var registration = new RigidRegistration(
            MovedPart.Noisy(MovedPart.DrawRing(Side, 0, 0), 3, seed: 1),
            new Grid(Side, Side)
        );
        var found = registration.Register(MovedPart.Noisy(MovedPart.DrawRing(Side, 14.5, -9.25), 3, seed: 2));
        Assert.Equal(0, found.Angle);
        Assert.Equal(14.5, found.ShiftX, 0.2);
        Assert.Equal(-9.25, found.ShiftY, 0.2);
    }

    [Fact]
    public void A_repeated_pattern_moves_to_its_nearest_place()
    {
        static float[] Stripes(double shift) =>
            [
                .. Enumerable
                    .Range(0, Side * Side)
                    .Select(i =>
                        (float)(
                            128
                            + 60 * Math.Sin(2 * Math.PI * (i % Side - shift) / 24)
                            + 60 * Math.Sin(2 * Math.PI * (i / Side) / 24)
                        )
                    ),
            ];
        AssertFound(
            new RigidTransform(0, 5, 0),
            new RigidRegistration(Stripes(0), new Grid(Side, Side)).Register(Stripes(5))
        );
    }

    [Fact]
    public void The_same_input_gives_the_same_result_on_any_thread()
    {
        var plane = MovedPart.Noisy(MovedPart.Draw(Side, Movement(4, 9, -8)), 5, seed: 9);
        var expected = Plate.Register(plane);
        Parallel.For(0, 4, _ => Assert.Equal(expected, Plate.Register(plane)));
    }

    [Fact]
    public void Wrong_shapes_and_values_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RigidRegistration(new float[31 * 31], new Grid(31, 31)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RigidRegistration([], new Grid(2049, 2049)));
        Assert.Throws<ArgumentException>(() => new RigidRegistration(new float[10], new Grid(64, 64)));
        Assert.Throws<ArgumentException>(() => Plate.Register(new float[10]));
        Assert.Throws<ArgumentException>(() => Plate.Register([.. Enumerable.Repeat(float.NaN, Side * Side)]));
    }

    private static RigidTransform Movement(double degrees, double shiftX, double shiftY) =>
        new(degrees * Math.PI / 180, shiftX, shiftY);

    private static void AssertFound(
        RigidTransform truth,
        RigidTransform found,
        double degrees = 0.25,
        double pixels = 0.5
    )
    {
        var off = $"Found {found}, not {truth}.";
        Assert.True(Math.Abs(found.Angle - truth.Angle) * 180 / Math.PI <= degrees, off);
        Assert.True(
            Math.Max(Math.Abs(found.ShiftX - truth.ShiftX), Math.Abs(found.ShiftY - truth.ShiftY)) <= pixels,
            off
        );
    }
}
