using System.Security.Claims;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>The caller of a request and their permissions. Also a parameter of handlers.</summary>
internal sealed class Caller(string name, string? keyId, AccessScope? scope, IReadOnlyList<string>? categories)
    : ClaimsIdentity("Padim")
{
    public const string AnonymousName = "anonymous";
    private const int MaxName = 200;

    /// <summary>Gets the caller of every request while access is open.</summary>
    public static Caller Anonymous { get; } = new(AnonymousName, keyId: null, AccessScope.Admin, categories: null);

    /// <summary>Gets the name of the key or the subject of the token: the actor of the audit trail.</summary>
    public override string Name { get; } = name.Length > MaxName ? name[..MaxName] : name;

    /// <summary>Gets the identifier of the key; null for tokens and while access is open.</summary>
    public string? KeyId => keyId;

    /// <summary>Gets what the caller may do; null for nothing.</summary>
    public AccessScope? Scope => scope;

    /// <summary>Gets the only categories that the caller may see; null for all.</summary>
    public IReadOnlyList<string>? Categories => categories;

    public bool MayDo(AccessScope needed) => scope >= needed;

    public bool MaySee(string category) => categories is null || categories.Contains(category, StringComparer.Ordinal);

    public static ValueTask<Caller> BindAsync(HttpContext context) =>
        ValueTask.FromResult(
            context.User.Identity as Caller
                ?? throw new InvalidOperationException(
                    "The handler needs a caller, but its route allows anonymous access."
                )
        );
}
