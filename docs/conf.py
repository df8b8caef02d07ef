"""How the site is built: Sphinx, every block of every page executed, nothing fetched by the reader's browser."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for `_site`, what is generated
# What a page runs finds `rankscape`, one thread a matrix, and no terminal.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "76"}

import rankscape  # noqa: E402

project, author, copyright = "rankscape", "the authors of rankscape", "the authors of rankscape, Apache-2.0"
version = release = rankscape.__version__

extensions = [
    "myst_nb", "numpydoc", "notfound.extension", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.viewcode",
    "sphinx_copybutton", "sphinx_design", "_site",
]  # fmt: skip
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_site", "_static", "_templates", "statements.md"]
templates_path = ["_templates"]
suppress_warnings = ["ref.python"]  # a word like `rank` names a field of many records

# -- pages
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline", "fieldlist"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "cache")
nb_execution_in_temp = True
nb_execution_timeout = 240
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_output_stderr = "remove"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- reference
default_role = "any_name"
smartquotes_action = "q"  # quotes only: two dashes are an option of a command
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# -- formulas: MathJax and its font lie beside the pages, taken from npm by `docs/build`
mathjax_path = "mathjax/tex-chtml.js"
mathjax4_config = {
    "loader": {"paths": {"mathjax-newcm": "[mathjax]/../mathjax-newcm-font"}},
    "output": {"fontPath": "[mathjax]/../mathjax-newcm-font"},
}

# -- the look
html_theme = "pydata_sphinx_theme"
html_title = "rankscape"
html_static_path = ["_static", "_build/vendor", "_build/made"]
html_css_files = ["rankscape.css"]
html_favicon = "_static/rankscape.svg"
html_logo = "_static/rankscape.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "rankscape", "alt_text": "rankscape, to the first page"},
    "navbar_end": ["theme-switcher"],
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
}
html_context = {"default_mode": "auto"}
# A switch between versions, once there are several: where the list of them is, as the theme reads it. Until then
# nothing of it is in any page.
if versions := os.environ.get("RANKSCAPE_DOCS_VERSIONS"):
    html_theme_options |= {
        "navbar_end": ["version-switcher", "theme-switcher"],
        "switcher": {"json_url": versions, "version_match": version},
        "check_switcher": False,
    }
html_sidebars = {"index": []}
notfound_urls_prefix = os.environ.get("RANKSCAPE_DOCS_PREFIX", "/")
