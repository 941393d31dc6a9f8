using BenchmarkDotNet.Attributes;
using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;

namespace PaDiM.Bench.Kernels;

/// <summary>
/// Benchmarks what <c>alignment: rigid</c> adds to an image of 256 x 256 pixels, on one thread: finding the part,
/// bringing the image into the frame of the template, and bringing the map back.
/// </summary>
[MemoryDiagnoser]
public class AlignmentKernels
{
    private const int Side = 256;

    private static readonly Grid Size = new(Side, Side);
    private static readonly RigidTransform Movement = new(0.05, 7.3, -4.6);

    private readonly float[] _image = new float[3 * Side * Side],
        _aligned = new float[3 * Side * Side],
        _plane = new float[Side * Side],
        _map = new float[Side * Side],
        _moved = new float[Side * Side];
    private RigidRegistration _registration = null!;

    /// <summary>Draws a plate with holes, and the same moved.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        var template = new float[Side * Side];
        Draw(template, RigidTransform.Identity, 1);
        Draw(_plane, Movement, 2);
        for (var i = 0; i < _image.Length; i++)
            _image[i] = _plane[i / 3];
        _registration = new RigidRegistration(template, Size);
    }

    /// <summary>Measures all of it.</summary>
    [Benchmark(Baseline = true)]
    public RigidTransform Align()
    {
        Luma.FromRgb(_image, _plane);
        var found = _registration.Register(_plane);
        Warping.ToTemplate(_image, Size, found, _aligned);
        Warping.ToImage(_map, Size, found, _moved);
        return found;
    }

    /// <summary>Measures finding the part.</summary>
    [Benchmark]
    public RigidTransform Register() => _registration.Register(_plane);

    /// <summary>Measures bringing the image into the frame of the template.</summary>
    [Benchmark]
    public void ToTemplate() => Warping.ToTemplate(_image, Size, Movement, _aligned);

    /// <summary>Measures bringing the map back.</summary>
    [Benchmark]
    public void ToImage() => Warping.ToImage(_map, Size, Movement, _moved);

    private static void Draw(float[] plane, RigidTransform movement, int seed)
    {
        var noise = KernelData.CreateNumbers(plane.Length, seed);
        var back = movement.Inverse();
        for (var i = 0; i < plane.Length; i++)
        {
            var (x, y) = back.Map(i % Side, i / Side, Size);
            var isPlate = Math.Abs(x - 128) < 80 && Math.Abs(y - 120) < 60;
            var isHole =
                Math.Pow(x - 90, 2) + Math.Pow(y - 100, 2) < 400 || Math.Pow(x - 170, 2) + Math.Pow(y - 150, 2) < 150;
            plane[i] = (isPlate && !isHole ? 170 : 60) + 8 * noise[i];
        }
    }
}
