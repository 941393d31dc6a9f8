using System.Numerics.Tensors;
using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Alignment;

public sealed class MeanTemplateTests
{
    private const int Side = 128;
    private static readonly RigidTransform[] Movements = [.. Draw(new Random(11), 16)];
    private static readonly float[][] Parts =
    [
        .. Movements.Select(
            (movement, i) =>
                MovedPart.Noisy(MovedPart.Lit(MovedPart.Draw(Side, movement), 0.8 + 0.02 * i, 5), 5, seed: i)
        ),
    ];

    [Fact]
    public void The_template_is_sharp_and_every_part_registers_to_it()
    {
        var template = MeanTemplate.Build(() => Parts, new Grid(Side, Side), rounds: 3);
        var plain = Parts.Aggregate(
            new float[Side * Side],
            (sum, part) => [.. sum.Zip(part, (a, b) => a + b / Parts.Length)]
        );
        Assert.True(
            Sharpness(template) > 2 * Sharpness(plain),
            $"{Sharpness(template)} against {Sharpness(plain)} unaligned."
        );
        // The template has a frame of its own: the results of all parts must differ from their movements by the same
        // transform.
        var registration = new RigidRegistration(template, new Grid(Side, Side));
        var frames = Parts.Select((part, i) => registration.Register(part).Then(Movements[i].Inverse())).ToArray();
        Assert.All(
            frames,
            frame =>
            {
                Assert.Equal(frames.Average(f => f.Angle), frame.Angle, 0.25 * Math.PI / 180);
                Assert.Equal(frames.Average(f => f.ShiftX), frame.ShiftX, 0.5);
                Assert.Equal(frames.Average(f => f.ShiftY), frame.ShiftY, 0.5);
            }
        );
    }

    [Fact]
    public void It_lies_at_the_mean_position_and_stays_there_with_more_rounds()
    {
        foreach (var rounds in (int[])[2, 6])
        {
            var registration = new RigidRegistration(
                MeanTemplate.Build(() => Parts, new Grid(Side, Side), rounds),
                new Grid(Side, Side)
            );
            var found = Parts.Select(part => registration.Register(part)).ToArray();
            Assert.Equal(0, found.Average(t => t.Angle), 0.1 * Math.PI / 180);
            Assert.Equal(0, found.Average(t => t.ShiftX), 0.25);
            Assert.Equal(0, found.Average(t => t.ShiftY), 0.25);
        }
    }

    [Fact]
    public void An_outlier_in_front_does_not_become_the_template()
    {
        float[][] planes = [MovedPart.Texture(Side, 8, 1), .. Parts];
        var registration = new RigidRegistration(
            MeanTemplate.Build(() => planes, new Grid(Side, Side), rounds: 2),
            new Grid(Side, Side)
        );
        Assert.All(Parts, part => Assert.NotEqual(RigidTransform.Identity, registration.Register(part)));
    }

    [Fact]
    public void It_does_not_depend_on_the_number_of_cores() =>
        Assert.Equal(
            MeanTemplate.Build(
                () => Parts,
                new Grid(Side, Side),
                1,
                new ParallelOptions { MaxDegreeOfParallelism = 1 }
            ),
            MeanTemplate.Build(() => Parts, new Grid(Side, Side), 1, new ParallelOptions { MaxDegreeOfParallelism = 3 })
        );

    [Fact]
    public void Planes_are_read_two_times_more_than_there_are_rounds()
    {
        var reads = 0;
        MeanTemplate.Build(
            () =>
            {
                reads++;
                return Parts.Take(3);
            },
            new Grid(Side, Side),
            rounds: 2
        );
        Assert.Equal(4, reads);
    }

    [Fact]
    public void One_plane_is_its_own_template()
    {
        var template = MeanTemplate.Build(() => [Parts[0]], new Grid(Side, Side), rounds: 2);
        Assert.Equal(0, TensorPrimitives.Distance<float>(Parts[0], template) / Side, 1e-3);
    }

    [Fact]
    public void Textures_give_their_plain_mean()
    {
        float[][] textures = [.. Enumerable.Range(0, 4).Select(seed => MovedPart.Texture(Side, 2, seed))];
        var template = MeanTemplate.Build(() => textures, new Grid(Side, Side), rounds: 1);
        Assert.All(
            Enumerable.Range(0, Side * Side),
            i => Assert.Equal(textures.Average(t => t[i]), template[i], 1e-3f)
        );
    }

    [Fact]
    public void Nothing_to_average_and_wrong_shapes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => MeanTemplate.Build(() => [], new Grid(Side, Side), 1));
        Assert.Throws<ArgumentException>(() => MeanTemplate.Build(() => [new float[10]], new Grid(Side, Side), 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => MeanTemplate.Build(() => Parts, new Grid(Side, Side), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => MeanTemplate.Build(() => Parts, new Grid(16, 16), 1));
    }

    private static IEnumerable<RigidTransform> Draw(Random random, int count)
    {
        double Within(double range) => range * (2 * random.NextDouble() - 1);
        for (var i = 0; i < count; i++)
            yield return new RigidTransform(Within(7 * Math.PI / 180), Within(8), Within(8));
    }

    /// <summary>Mean squared difference of neighbours.</summary>
    private static double Sharpness(float[] plane) =>
        Enumerable
            .Range(0, plane.Length - 1)
            .Where(i => i % Side < Side - 1)
            .Average(i => Math.Pow(plane[i + 1] - plane[i], 2));
}
