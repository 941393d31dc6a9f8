namespace PaDiM.TestSupport;

/// <summary>
/// Images that another program made, most with the pixels that it read: <c>Fixtures/Images/make.py</c>. Copied beside
/// every test program.
/// </summary>
public static class ImageFixtures
{
    /// <summary>The folder of the images.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Fixtures", "Images");

    /// <summary>The full path of a file.</summary>
    public static string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Reads a file.</summary>
    public static byte[] Read(string name) => File.ReadAllBytes(PathOf(name));
}
