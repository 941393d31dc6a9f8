using System.Text;
using PaDiM.Core.Geometry;
using PaDiM.Core.Persistence;

namespace PaDiM.Backbones.Tests.Support;

/// <summary>
/// Weights and images that are the same wherever they are made: tools/fixtures/torchvision_taps.py makes them for
/// PyTorch.
/// </summary>
internal static class RandomWeights
{
    /// <summary>Numbers of a name in [0, 1): the upper 24 bits of SplitMix64 at the name's FNV-1a hash.</summary>
    public static IEnumerable<double> Numbers(string name)
    {
        var state = Encoding
            .UTF8.GetBytes(name)
            .Aggregate(0xcbf29ce484222325, (hash, value) => (hash ^ value) * 0x100000001b3);
        while (true)
        {
            var z = state += 0x9e3779b97f4a7c15;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            yield return ((z ^ (z >> 31)) >> 40) / (double)(1 << 24);
        }
    }

    /// <summary>A tensor of a network by its name in torchvision.</summary>
    public static float[] Tensor(string name, IReadOnlyList<long> shape, double gain)
    {
        var count = (int)shape.Aggregate(1L, (product, extent) => product * extent);
        var bound = gain * Math.Sqrt(3.0 / (count / shape[0]));
        Func<double, double> value =
            shape.Count > 1 ? u => (2 * u - 1) * bound
            : name.EndsWith("running_var", StringComparison.Ordinal)
            || name.EndsWith("weight", StringComparison.Ordinal)
                ? u => 0.5 + u
            : u => 0.4 * u - 0.2;
        return [.. Numbers(name).Take(count).Select(u => (float)value(u))];
    }

    /// <summary>Squares of 16 pixels and noise over them, (3, Height, Width).</summary>
    public static float[] Image(Grid size)
    {
        var rows = (size.Height + 15) / 16;
        var columns = (size.Width + 15) / 16;
        double[] squares = [.. Numbers($"squares {size.Height}x{size.Width}").Take(3 * rows * columns)];
        return
        [
            .. Numbers($"noise {size.Height}x{size.Width}")
                .Take(3 * size.Positions)
                .Select(
                    (noise, i) =>
                    {
                        var channel = i / size.Positions;
                        var y = i % size.Positions / size.Width;
                        var x = i % size.Width;
                        return (float)(4 * squares[(channel * rows + y / 16) * columns + x / 16] - 2 + (noise - 0.5));
                    }
                ),
        ];
    }

    /// <summary>Writes tensors as safetensors.</summary>
    public static void Write(string path, IEnumerable<(string Name, long[] Shape, float[] Values)> tensors)
    {
        using var file = File.Create(path);
        Safetensors.Write(
            file,
            new Dictionary<string, string>(),
            [.. tensors.Select(tensor => SafetensorsTensor.Create(tensor.Name, tensor.Shape, tensor.Values))]
        );
    }
}
