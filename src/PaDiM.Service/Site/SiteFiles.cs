using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using System.Text;

namespace PaDiM.Service.Site;

/// <summary>
/// The files of the console, which the build puts into the program: nothing is read from the disk, and a program that
/// was copied anywhere has them.
/// </summary>
internal sealed class SiteFiles
{
    /// <summary>What the names of its resources start with.</summary>
    public const string Resources = "Site/";
    private const string Page = "index.html",
        Base = "<base href=\"/console/\"";

    /// <summary>A prefix comes from the settings or a known proxy, so few are ever seen.</summary>
    private const int MaxPages = 16;
    private readonly Dictionary<string, SiteFile> _files = [];
    private readonly ConcurrentDictionary<string, SiteFile> _pages = new(StringComparer.Ordinal);
    private readonly string _page;

    public SiteFiles()
    {
        var assembly = typeof(SiteFiles).Assembly;
        foreach (var name in assembly.GetManifestResourceNames())
            if (name.StartsWith(Resources, StringComparison.Ordinal))
                _files.Add(name[Resources.Length..], new SiteFile(name, Read(assembly, name)));
        _page = Encoding.UTF8.GetString(Read(assembly, Resources + Page));
    }

    /// <summary>Gets a file; null if there is none of that name.</summary>
    public SiteFile? Find(string name) => _files.GetValueOrDefault(name);

    /// <summary>
    /// Gets the page below a prefix. The page finds its scripts and the API by its base address.
    /// </summary>
    public SiteFile GetPage(PathString prefix)
    {
        var path = prefix.ToUriComponent();
        if (path.Length == 0)
            return _files[Page];
        if (_pages.TryGetValue(path, out var known))
            return known;
        var page = new SiteFile(
            Page,
            Encoding.UTF8.GetBytes(
                _page.Replace(Base, $"<base href=\"{WebUtility.HtmlEncode(path)}/console/\"", StringComparison.Ordinal)
            )
        );
        return _pages.Count < MaxPages ? _pages.GetOrAdd(path, page) : page;
    }

    private static byte[] Read(Assembly assembly, string name)
    {
        using var stream =
            assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The program was built without {name}.");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
