//! What words in the names of tables and columns mean, in the languages that exports come in.

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Concept {
    Merchant,
    Branch,
    /// Who sells work: a merchant where nobody else is one.
    Worker,
    /// Who drives: sells rides, or carries what others sell.
    Driver,
    /// Who rides: along as a passenger, or out with parcels and meals.
    Rider,
    Buyer,
    Account,
    Order,
    /// What work is agreed in: an order where nothing else is one.
    Engagement,
    Item,
    Product,
    Shipment,
    Review,
    Dispute,
    Chargeback,
    Loan,
    Instalment,
    Payment,
    Application,
    Inventory,
    Group,
    Id,
    Time,
    Amount,
    Unit,
    Freight,
    Tax,
    Discount,
    Quantity,
    Currency,
    Status,
    Category,
    Region,
    City,
    Country,
    PostCode,
    Name,
    Kind,
    Reason,
    Outcome,
    Verified,
    Deposit,
    Opened,
    Closed,
    Registered,
    Placed,
    Paid,
    Approved,
    Cancelled,
    Completed,
    Settled,
    Delivered,
    Shipped,
    Carrier,
    Tracking,
    Estimated,
    Limit,
    Due,
    Lost,
    Refund,
    Created,
    Answered,
    Recorded,
    Stars,
    Principal,
    Interest,
    Rate,
    Fee,
    Term,
    Month,
    Disbursed,
    WrittenOff,
    Restructured,
    Repayment,
    Number,
    Channel,
    Reversed,
    Requested,
    Sales,
    Cost,
    Asset,
    Liability,
    Joined,
    Left,
    Offer,
}

use Concept as C;

/// Words by what they mean: English, Portuguese, Spanish, French, German, Italian, Polish,
/// Turkish, Chinese, Japanese, Korean, and the names of tables and fields of SAP's ERP. Without accents and without a plural's s, as
/// [`super::names::Name`] makes them.
pub(super) const VOCABULARY: [(Concept, &[&str]); 85] = [
    (
        C::Worker,
        &[
            "freelancer", "contractor", "subcontractor", "tutor", "consultant", "expert", "artisan", "creator",
            "tasker", "craftsman", "handyman", "cleaner", "photographer", "instructor", "therapist", "caregiver",
            "sitter", "performer", "gestor", "freiberufler", "dienstleister", "handwerker", "prestador", "prestataire",
            "professionista", "wykonawca", "wykonawcy",
        ],
    ),
    (C::Driver, &["driver", "fahrer", "motorista", "conductor", "chauffeur", "kierowca", "kierowcy"]),
    (C::Rider, &["rider"]),
    (
        C::Engagement,
        &[
            "contract", "job", "gig", "engagement", "assignment", "project", "contrato", "contrat", "vertrag",
            "projekt", "contratto", "umowa", "umowy", "zlecenie", "zlecenia", "sozlesme", "合同", "契約", "계약",
        ],
    ),
    (C::Branch, &["branch", "filial", "filiale", "sucursal", "succursale", "agence", "sube", "subesi", "지점"]),
    (
        C::Merchant,
        &[
            "merchant", "seller", "shop", "store", "vendor", "retailer", "outlet", "dealer", "supplier", "merch",
            "vendedor", "lojista", "loja", "tienda", "comercio", "comerciante", "marchand", "vendeur", "boutique",
            "magasin", "commercant", "handler", "haendler", "verkaufer", "verkaeufer", "laden", "geschaft", "negozio",
            "venditore", "esercente", "商家", "卖家", "店铺", "商户", "restaurant", "venue", "host", "partner",
            "provider", "stallholder", "establecimiento", "proveedor", "fornecedor", "fornitore", "lieferant",
            "fournisseur", "restaurante", "estabelecimento", "ristorante", "门店", "商铺", "供应商", "sprzedawca",
            "sprzedawcy", "sprzedawcow", "sprzedajacy", "sklep", "sklepu", "店舗", "ショップ", "出品者", "出店者",
            "加盟店", "satici", "saticilar", "magaza", "magazalar", "bayi", "isyeri", "판매자", "셀러", "상점",
            "가맹점", "입점업체", "lifnr", "lfa", "toko", "mitra", "warung", "pedagang", "penjual", "mandant",
            "till number", "till no", "till id", "paybill",
        ],
    ),
    (
        C::Buyer,
        &[
            "buyer", "customer", "cust", "client", "user", "consumer", "purchaser", "cardholder", "credit card",
            "debit card", "shopper", "comprador", "cliente", "usuario", "acheteur", "kunde", "kunden", "kaufer",
            "kaeufer", "acquirente", "card", "买家", "客户", "用户", "eater", "diner", "guest", "passenger", "member",
            "subscriber", "email", "e mail", "correo", "courriel", "huesped", "会员", "顾客", "消费者", "kupujacy",
            "kupujacego", "klient", "klienta", "nabywca", "nabywcy", "zamawiajacy", "会員", "注文者", "購入者", "顧客",
            "お客様", "musteri", "musteriler", "alici", "구매자", "고객", "회원", "주문자", "kunnr", "kna", "payer",
            "msisdn", "pembeli", "pelanggan",
        ],
    ),
    (
        C::Account,
        &[
            "account", "acct", "konto", "conta", "cuenta", "compte", "conto", "borrower", "kreditnehmer", "账户",
            "rachunek", "rachunku", "口座",
        ],
    ),
    (
        C::Order,
        &[
            "order", "purchase", "transaction", "txn", "trx", "tran", "trans", "invoice", "basket", "charge",
            "receipt", "booking", "pedido", "compra", "venda", "venta", "orden", "transacao", "transaccion",
            "commande", "achat", "bestellung", "einkauf", "einkaufe", "einkaeufe", "beleg", "bon", "bestell",
            "auftrag", "kauf", "verkauf", "ordine", "acquisto", "vendita", "sale", "订单", "交易", "trip", "ride",
            "rental", "reservation", "checkout", "factura", "fattura", "rechnung", "facture", "reserva", "zamowienie",
            "zamowienia", "zamowien", "zakup", "zakupu", "zakupy", "transakcja", "transakcji", "sprzedaz", "sprzedazy",
            "注文", "受注", "取引", "siparis", "siparisler", "siparisleri", "satis", "satislar", "islem", "islemler",
            "주문", "거래", "vbak", "ekko", "pesanan",
        ],
    ),
    (
        C::Item,
        &[
            "item", "line", "milestone", "meilenstein", "deliverable", "position", "detail", "iten", "linea", "ligne",
            "artikelposition", "riga", "明细", "pozycja", "pozycji", "明細", "kalem", "품목", "vbap", "ekpo",
        ],
    ),
    (
        C::Product,
        &[
            "product", "sku", "article", "goods", "stock code", "stockcode", "produto", "producto", "produit",
            "produkt", "artikel", "articulo", "prodotto", "商品", "产品", "produktu", "towar", "towaru", "urun",
            "urunler", "상품", "matnr",
        ],
    ),
    (
        C::Shipment,
        &[
            "shipment", "shipping", "ship", "parcel", "package", "consignment", "envio", "livraison", "expedition",
            "lieferung", "sendung", "paket", "versand", "spedizione", "encomenda", "物流", "包裹", "fulfillment",
            "fulfilment", "coli", "colis", "fulfillment order", "przesylka", "przesylki", "paczka", "paczki",
            "wysylka", "wysylki", "出荷", "発送", "配送", "荷物", "kargo", "gonderi", "sevkiyat", "배송", "출고",
            "likp",
        ],
    ),
    (
        C::Review,
        &[
            "review", "rating", "feedback", "evaluation", "avaliacao", "resena", "opinion", "avi", "bewertung",
            "recensione", "评价", "评论", "calificacion", "valoracion", "resenia", "opinia", "opinii", "opinie",
            "recenzja", "recenzji", "avaliacoe", "レビュー", "口コミ", "degerlendirme", "degerlendirmeler", "yorum",
            "yorumlar", "리뷰", "후기", "상품평", "penilaian", "ulasan",
        ],
    ),
    (
        C::Dispute,
        &[
            "dispute", "claim", "complaint", "complain", "case", "ticket", "disputa", "reclamacao", "reclamacion",
            "queja", "litige", "reclamation", "reklamation", "beschwerde", "reclamo", "纠纷", "投诉", "incident",
            "incidencia", "grievance", "sinistre", "售后", "工单", "rekla", "reklamacja", "reklamacji", "reklamacje",
            "spor", "sporu", "roszczenie", "reclamacoe", "トラブル", "苦情", "クレーム", "紛争", "anlasmazlik",
            "anlasmazliklar", "sikayet", "sikayetler", "itiraz", "talep", "talepler", "분쟁", "클레임", "신고",
            "streit",
        ],
    ),
    (
        C::Chargeback,
        &[
            "chargeback",
            "cbk",
            "contestacao",
            "retrocargo",
            "ruckbelastung",
            "rucklastschrift",
            "ruecklastschrift",
            "contracargo",
            "impaye",
            "チャージバック",
        ],
    ),
    (
        C::Loan,
        &[
            "loan", "credit", "lending", "advance", "emprestimo", "prestamo", "credito", "pret", "kredit", "darlehen",
            "prestito", "贷款", "借款", "pozyczka", "pozyczki", "pozyczek", "kredyt", "kredytu", "kredyty", "ローン",
            "融資", "貸付", "kredi", "krediler", "대출", "pinjaman",
        ],
    ),
    (
        C::Instalment,
        &[
            "还款计划", "instalment", "installment", "schedule", "parcela", "cuota", "echeance", "echeancier",
            "tilgungsplan", "rata", "raten", "ratenplan", "分期", "raty", "harmonogram", "splat", "taksit",
            "taksitler", "상환계획", "할부", "angsuran", "cicilan",
        ],
    ),
    (
        C::Payment,
        &[
            "payment", "repayment", "pagamento", "pago", "paiement", "remboursement", "zahlung", "ruckzahlung", "pay",
            "还款", "付款", "支付", "platnosc", "platnosci", "wplata", "wplaty", "splata", "splaty", "返済", "支払",
            "odeme", "odemeler", "tahsilat", "tahsilatlar", "상환", "납입", "pembayaran",
        ],
    ),
    (
        C::Application,
        &[
            "application", "applicant", "solicitacao", "solicitud", "demande", "antrag", "domanda", "申请", "wniosek",
            "wniosku", "wnioski", "申込", "basvuru", "basvurular", "신청",
        ],
    ),
    (
        C::Inventory,
        &[
            "inventory", "stock", "warehouse", "estoque", "inventario", "inventaire", "bestand", "lager", "magazzino",
            "库存", "magazyn", "在庫", "stok", "재고",
        ],
    ),
    (C::Group, &["group", "alliance", "grupo", "groupe", "gruppe", "gruppo", "grup"]),
    (
        C::Id,
        &[
            "id", "identifier", "uuid", "guid", "code", "key", "ref", "reference", "codigo", "cod", "nr", "编号",
            "hash", "unique", "编码", "号", "clave", "chave", "kennung", "identyfikator", "login", "kod", "gstin",
            "cnpj", "kodu", "아이디", "코드", "vbeln",
        ],
    ),
    (
        C::Time,
        &[
            "time", "timestamp", "datetime", "date", "day", "at", "on", "ts", "when", "data", "fecha", "hora", "heure",
            "datum", "zeit", "zeitpunkt", "uhrzeit", "tag", "dt", "am", "giorno", "时间", "日期", "horodatage",
            "zeitstempel", "wertstellung", "value date", "valutadatum", "godzina", "czas", "日時", "日付", "日",
            "時刻", "tarih", "tarihi", "saat", "saati", "zaman", "zamani", "일시", "일자", "날짜", "시각", "일",
            "erdat", "audat", "bldat", "budat", "fkdat", "cpudt", "aedat", "podat", "lfdat", "wadat", "wadat ist",
            "waktu", "tanggal", "tgl",
        ],
    ),
    (
        C::Amount,
        &[
            "货款", "amount", "amt", "value", "total", "sum", "price", "gmv", "valor", "preco", "precio", "importe",
            "monto", "montant", "prix", "betrag", "preis", "wert", "summe", "importo", "prezzo", "minor", "cent",
            "revenue", "gross", "金额", "价格", "总额", "kwota", "kwoty", "wartosc", "cena", "ceny", "suma", "razem",
            "金額", "合計", "価格", "代金", "tutar", "tutari", "fiyat", "fiyati", "bedel", "bedeli", "toplam", "금액",
            "가격", "총액", "brutto", "netto", "lordo", "netwr", "wrbtr", "dmbtr", "paid in", "jumlah dibayar",
            "harga",
        ],
    ),
    (C::Unit, &["unit", "each", "unitario", "unitaire", "einzel", "stuck", "単価", "jednostkowa", "birim", "단가"]),
    (
        C::Freight,
        &[
            "freight", "postage", "delivery fee", "frete", "flete", "fracht", "versandkosten", "porto", "运费", "送料",
            "koszt dostawy", "koszt wysylki", "koszty dostawy", "kargo ucreti", "kargo bedeli", "배송비",
        ],
    ),
    (
        C::Tax,
        &[
            "tax", "vat", "gst", "imposto", "impuesto", "iva", "taxe", "tva", "steuer", "mwst", "podatek", "消費税",
            "kdv", "vergi", "부가세",
        ],
    ),
    (
        C::Discount,
        &[
            "discount", "desconto", "descuento", "remise", "rabatt", "sconto", "coupon", "voucher", "znizka", "rabat",
            "値引", "割引", "クーポン", "indirim", "할인",
        ],
    ),
    (
        C::Quantity,
        &[
            "quantity", "qty", "count", "quantidade", "cantidad", "quantite", "menge", "anzahl", "quantita", "数量",
            "ilosc", "liczba", "sztuk", "個数", "adet", "miktar", "수량", "kwmeng",
        ],
    ),
    (
        C::Currency,
        &[
            "currency", "ccy", "moeda", "moneda", "devise", "wahrung", "waehrung", "valuta", "币种", "货币", "walut",
            "waluta", "通貨", "para birimi", "doviz", "통화", "waerk", "waers",
        ],
    ),
    (
        C::Status,
        &[
            "status", "state of", "stage", "estado del", "situacao", "statut", "stato", "状态", "estatus", "etat",
            "zustand", "stan", "ステータス", "状態", "durum", "durumu", "statu", "statusu", "상태",
        ],
    ),
    (
        C::Category,
        &[
            "category", "segment", "industry", "sector", "mcc", "vertical", "categoria", "ramo", "rubro", "categorie",
            "secteur", "kategorie", "branche", "warengruppe", "类目", "行业", "分类", "cuisine", "culinaria", "giro",
            "commodity", "actividad", "atividade", "gewerbe", "sparte", "metier", "trade sector", "kategoria",
            "ジャンル", "カテゴリ", "業種", "kategori", "sektor", "카테고리", "업종", "brsch",
        ],
    ),
    (
        C::Region,
        &[
            "所在地", "state", "region", "province", "district", "county", "prefecture", "estado", "provincia",
            "regiao", "uf", "departement", "bundesland", "gebiet", "regione", "省", "地区", "省份", "所在省份", "zone",
            "zona", "wojewodztwo", "都道府県", "il", "bolge", "지역", "시도", "regio", "kota", "kabupaten",
        ],
    ),
    (
        C::City,
        &[
            "city", "town", "cidade", "ciudad", "ville", "stadt", "ort", "citta", "municipio", "城市", "miasto",
            "miejscowosc", "sehir", "ilce", "도시",
        ],
    ),
    (C::Country, &["country", "nation", "pai", "pays", "land", "paese", "国家", "kraj", "国", "ulke", "국가"]),
    (
        C::PostCode,
        &[
            "zip", "postcode", "postal", "cep", "plz", "prefix", "郵便番号", "pincode", "kod pocztowy", "posta kodu",
            "우편번호",
        ],
    ),
    (
        C::Name,
        &[
            "name", "nome", "nombre", "nom", "title", "名称", "nazwa", "imie", "名", "adi", "unvan", "unvani", "isim",
            "이름", "상호",
        ],
    ),
    (
        C::Kind,
        &[
            "type", "kind", "class", "tipo", "art", "typ", "类型", "rodzaj", "種別", "種類", "tur", "turu", "tipi",
            "유형", "구분", "종류",
        ],
    ),
    (
        C::Reason,
        &[
            "reason", "cause", "motivo", "razon", "motif", "grund", "原因", "powod", "przyczyna", "理由", "neden",
            "nedeni", "sebep", "sebebi", "사유",
        ],
    ),
    (
        C::Outcome,
        &[
            "outcome", "result", "decision", "resolution", "verdict", "resultado", "resultat", "ergebnis", "esito",
            "结果", "resolucion", "resolucao", "decyzja", "wynik", "rozstrzygniecie", "favor", "favour", "結果",
            "sonuc", "sonucu", "karar", "karari", "결과", "entscheidung",
        ],
    ),
    (
        C::Verified,
        &[
            "verified", "verification", "kyc", "verificado", "verificacao", "verifie", "verifiziert", "认证",
            "verificacion", "verifica", "legitimiert", "legitimation", "identified", "legitimated", "compliance",
            "zweryfikowany", "zweryfikowana", "weryfikacja", "本人確認", "dogrulama", "본인인증", "인증",
        ],
    ),
    (C::Deposit, &["deposit", "collateral", "caucao", "kaution", "保证金", "kaucja", "保証金"]),
    (
        C::Opened,
        &[
            "opened", "open", "opening", "founded", "established", "filed", "raised", "aberto", "abertura", "apertura",
            "ouverture", "eroffnet", "eroffnung", "gegrundet", "since", "seit", "开店", "开通", "initiated", "eingang",
            "eingegangen", "ouvert", "ouverte", "otwarcie", "otwarcia", "zgloszenie", "zgloszenia", "申告", "開店",
            "acilis", "개설", "접수",
        ],
    ),
    (
        C::Closed,
        &[
            "closed", "close", "closing", "resolved", "ended", "end", "decided", "fechado", "encerrado",
            "encerramento", "cerrado", "cierre", "ferme", "cloture", "geschlossen", "beendet", "erledigt",
            "entschieden", "chiuso", "关闭", "完结", "settled on", "finalized", "finalised", "terminated",
            "termination", "kundigung", "kuendigung", "gekundigt", "resilie", "resiliation", "baja", "fecha baja",
            "zamkniecie", "zamkniecia", "rozpatrzenia", "解決", "退店", "閉店", "kapanis", "kapanma", "종료",
            "처리완료",
        ],
    ),
    (
        C::Registered,
        &[
            "registered", "registration", "onboarded", "onboarding", "signup", "enrolled", "start", "started",
            "cadastro", "registro", "inscription", "angemeldet", "registriert", "registrierung", "anmeldung",
            "iscrizione", "注册", "alta", "activated", "activation", "registrado", "入驻", "rejestracja",
            "rejestracji", "zarejestrowany", "登録", "出店", "加盟", "kayit", "uyelik", "가입", "등록", "입점",
            "bergabung",
        ],
    ),
    (
        C::Placed,
        &["placed", "ordered", "bought", "purchased", "bestellt", "下单", "sold", "zlozenia", "zlozono", "audat"],
    ),
    (
        C::Paid,
        &[
            "paid", "pago", "pagado", "pagada", "paye", "bezahlt", "gezahlt", "pagato", "付款时间", "实付", "oplacono",
            "zaplacono", "入金", "決済", "odendi", "odenen", "결제", "입금", "bayar", "dibayar", "jumlah dibayar",
        ],
    ),
    (
        C::Approved,
        &[
            "approved", "approval", "authorized", "authorised", "authorization", "aprovado", "aprovacao", "aprobado",
            "approuve", "genehmigt", "审核", "accepted", "aceptado", "aceito", "onay", "onaylanma", "승인",
        ],
    ),
    (
        C::Cancelled,
        &[
            "cancelled", "canceled", "cancel", "cancellation", "voided", "cancelado", "cancelamento", "annule",
            "storniert", "storno", "annullato", "取消", "void", "annulation", "anulado", "anulacion", "annullata",
            "stornierung", "anulowano", "anulowania", "anulowane", "キャンセル", "iptal", "취소",
        ],
    ),
    (
        C::Completed,
        &[
            "completed", "complete", "confirmed", "confirmation", "received", "receipt confirmed", "released",
            "concluido", "confirmado", "recebido", "termine", "confirme", "recu", "abgeschlossen", "bestatigt",
            "erhalten", "completato", "确认", "完成", "签收", "zakonczenia", "zakonczono", "zrealizowano", "完了",
            "tamamlanma", "tamamlandi", "구매확정", "확정", "selesai",
        ],
    ),
    (
        C::Settled,
        &[
            "settled", "settlement", "cleared", "posted", "posting", "captured", "liquidado", "liquidacao",
            "compensado", "regle", "gebucht", "buchung", "结算", "rozliczenia",
        ],
    ),
    (
        C::Delivered,
        &[
            "delivered", "delivery", "arrived", "arrival", "entregue", "entrega", "entregado", "livre", "livree",
            "geliefert", "zugestellt", "zustellung", "consegnato", "consegna", "送达", "dropped off", "dropoff",
            "goods received", "entregada", "consegnata", "pod", "proof delivery", "livraison", "lieferung", "liefer",
            "deliver", "dostawa", "dostawy", "dostarczono", "dostarczenia", "doreczenia", "お届け", "配達", "到着",
            "着荷", "teslim", "teslimat", "배송완료", "배달", "도착", "podat", "lfdat",
        ],
    ),
    (
        C::Shipped,
        &[
            "shipped", "dispatched", "dispatch", "sent", "postado", "enviado", "despachado", "expedie", "versendet",
            "verschickt", "spedito", "发货", "despatched", "despatch", "picked up", "pickup", "collected", "expedida",
            "fulfilled", "fulfillment", "en camino", "a caminho", "in transit", "unterwegs", "expedition", "versand",
            "spedizione", "wysylki", "wysylka", "wyslano", "nadania", "nadano", "postagem", "envio", "発送", "出荷",
            "data postagem", "kargoya teslim", "kargoya verilis", "kargoya verilme", "sevk", "gonderim", "발송",
            "출고", "wadat", "wadat ist", "termin suresinin",
        ],
    ),
    (
        C::Carrier,
        &[
            "carrier", "courier", "logistic", "transportadora", "transportista", "transporteur", "spediteur",
            "corriere", "快递", "haulier", "freight forwarder", "tracking company", "shipping company",
            "shipping carrier", "delivery company", "delivery partner", "delivery agent", "delivery boy",
            "delivery man", "delivery person", "deliveryman", "dispatch rider", "repartidor", "entregador", "motoboy",
            "livreur", "zusteller", "fattorino", "dostawca", "kurye", "骑手", "配送员", "配達員", "라이더",
            "courier company", "przewoznik", "przewoznika", "kurier", "物流公司", "快递公司", "承运商", "配送会社",
            "運送会社", "配送業者", "firma kurierska", "kargo firmasi", "kargo sirketi", "택배사", "배송사",
        ],
    ),
    (
        C::Tracking,
        &[
            "tracking", "track", "waybill", "awb", "rastreio", "rastreo", "suivi", "sendungsnummer", "运单",
            "物流单号", "快递单号", "运单号", "包裹单号", "伝票番号", "荷物伝票番号", "追跡番号", "numer przesylki",
            "numer listu", "list przewozowy", "kargo kodu", "kargo takip", "takip", "송장", "운송장",
        ],
    ),
    (
        C::Estimated,
        &[
            // The planned day of delivery.
            "lfdat", "required date", "estimated", "expected", "promised", "promise", "planned", "eta", "estimado",
            "estimada", "previsto", "prometido", "prevu", "promi", "geplant", "versprochen", "zugesagt", "预计",
            "承诺", "prevista", "przewidywana", "przewidywany", "planowana", "planowany", "szacowana", "obiecana",
            "earliest", "minimum", "予定", "tahmini", "beklenen", "planlanan", "예정", "vdatu",
        ],
    ),
    (
        C::Limit,
        &[
            "limit", "deadline", "by", "latest", "limite", "prazo", "plazo", "spatesten", "frist", "截止", "termin",
            "maximum", "期限", "기한", "마감", "wadat", "termin suresinin",
        ],
    ),
    (
        C::Due,
        &[
            "应还", "due", "maturity", "vencimento", "vencimiento", "fallig", "faellig", "faelligkeit", "falligkeit",
            "scadenza", "到期", "wymagalnosci", "zapadalnosci", "platne", "期日", "vade", "만기", "납기",
            "jatuh tempo",
        ],
    ),
    (
        C::Lost,
        &[
            "lost", "missing", "perdido", "extraviado", "perdu", "verloren", "perso", "丢失", "zaginela", "zagubiona",
            "kayip", "분실",
        ],
    ),
    (
        C::Refund,
        &[
            "refund", "refunded", "credit note", "credit memo", "creditnote", "gutschrift", "avoir", "nota credito",
            "creditnota", "kreditnota", "faktura korygujaca", "faktury korygujace", "korekta", "korekty", "returned",
            "return", "reembolso", "devolucao", "devolucion", "devuelto", "rembourse",
            // Of a loan it is its payment, of an order its refund.
            "remboursement", "erstattet", "erstattung", "rimborso", "退款", "zwrot", "zwrotu", "zwroty", "devolucoe",
            "reembolsado", "reembolsada", "返金", "返品", "iade", "iadeler", "환불", "반품", "pengembalian",
        ],
    ),
    (
        C::Created,
        &[
            "created", "creation", "create", "criado", "criacao", "creado", "cree", "erstellt", "angelegt", "creato",
            "创建", "utworzenia", "utworzono", "作成", "投稿", "olusturma", "olusturulma", "작성", "생성", "erdat",
            "dibuat",
        ],
    ),
    (
        C::Answered,
        &[
            "answer", "answered", "submitted", "given", "written", "respondido", "resposta", "respuesta", "reponse",
            "antwort", "abgegeben", "回答", "yanit",
        ],
    ),
    (
        C::Recorded,
        &[
            "recorded", "updated", "modified", "ingested", "loaded", "extracted", "atualizado", "actualizado",
            "aktualisiert", "更新", "aktualizacji", "guncelleme", "guncellenme", "수정", "aedat",
        ],
    ),
    (
        C::Stars,
        &[
            "star", "score", "grade", "note", "nota", "estrela", "estrella", "etoile", "stern", "sterne", "punkte",
            "stelle", "评分", "星级", "calificacion", "puntuacion", "puntaje", "valutazione", "bewertung", "ocena",
            "oceny", "gwiazdki", "estrelas", "評価", "puan", "puani", "yildiz", "평점", "별점", "bintang",
        ],
    ),
    (
        C::Principal,
        &[
            "principal", "capital", "kapital", "tilgung", "amortizacao", "amortizacion", "本金", "financed",
            "amount financed", "kreditbetrag", "darlehensbetrag", "元金", "元本", "anapara", "원금", "pokok",
            "jumlah pinjaman",
        ],
    ),
    (
        C::Interest,
        &[
            "interest", "juro", "interes", "interet", "zinsen", "zin", "interesse", "利息", "odsetki", "odsetek",
            "faiz", "이자", "bunga",
        ],
    ),
    (
        C::Rate,
        &[
            "rate", "apr", "taxa", "tasa", "taux", "zinssatz", "tasso", "利率", "sollzin", "nominalzin", "effektivzin",
            "zinsfuss", "oprocentowanie", "金利", "oran", "orani", "faiz", "금리", "이율",
        ],
    ),
    (
        C::Fee,
        &[
            "fee", "charge", "tarifa", "comision", "frai", "gebuhr", "gebuehr", "commissione", "手续费", "oplata",
            "prowizja", "手数料", "ucret", "ucreti", "komisyon", "masraf", "수수료", "biaya", "denda",
        ],
    ),
    (
        C::Term,
        &[
            "term", "duration", "tenor", "length", "laufzeit", "duree", "plazo", "durata", "期限", "okres", "tenure",
            "期間", "vade", "기간",
        ],
    ),
    (
        C::Month,
        &["month", "mese", "monat", "monate", "moi", "meses", "miesiac", "miesiecy", "ay", "aylik", "개월", "bulan"],
    ),
    (
        C::Disbursed,
        &[
            "disbursed", "disbursement", "funding", "drawdown", "drawn", "issued", "issue", "issuance", "granted",
            "funded", "originated", "origination", "liberado", "liberacao", "desembolso", "desembolsado", "debourse",
            "octroye", "ausgezahlt", "auszahlung", "erogato", "放款", "paid out", "payout date", "wyplaty", "wyplata",
            "uruchomienia", "udzielenia", "disbursal", "融資日", "貸付日", "kullandirim", "실행", "cair", "pencairan",
        ],
    ),
    (
        C::WrittenOff,
        &[
            "writtenoff", "writeoff", "chargeoff", "chargedoff", "written off", "write off", "charge off",
            "charged off", "abgeschrieben", "baixado", "核销",
        ],
    ),
    (
        C::Restructured,
        &[
            "restructured", "rescheduled", "renegotiated", "reestruturado", "renegociado", "reestructurado",
            "umgeschuldet",
        ],
    ),
    (
        C::Repayment,
        &[
            "repayment type", "repayment method", "amortization", "amortisation", "还款方式", "tilgungsart",
            "ruckzahlungsart", "repayment kind", "geri odeme",
        ],
    ),
    (
        C::Number,
        &[
            "number", "no", "num", "seq", "sequence", "sequential", "numero", "rate nr", "rate no", "nummer", "index",
            "期数", "numer", "番号", "numara", "numarasi", "번호", "posnr",
        ],
    ),
    (C::Channel, &["channel", "method", "mode", "canal", "kanal", "渠道", "yontem", "yontemi"]),
    (
        C::Reversed,
        &[
            "reversed", "bounced", "bounce", "dishonoured", "dishonored", "dishonour", "rejected", "ruckgabe",
            "reversal", "reverse", "estorno", "storno", "estornado", "devuelto", "zuruckgebucht", "ruckbuchung",
            "rucklaufer",
        ],
    ),
    (C::Requested, &["requested", "applied", "solicitado", "demande", "beantragt"]),
    (C::Sales, &["sales", "turnover", "ingreso", "receita", "vendas", "ventas", "umsatz", "chiffre", "obrot", "売上"]),
    (C::Cost, &["cost", "costs", "cogs", "custo", "costo", "coste", "cout", "kosten"]),
    (C::Asset, &["asset", "ativo", "activo", "actif", "vermogen"]),
    (C::Liability, &["liability", "liabilities", "debt", "passivo", "pasivo", "dette", "schulden"]),
    (C::Joined, &["joined", "join", "beigetreten"]),
    (C::Left, &["left", "leave", "ausgetreten"]),
    (C::Offer, &["offer", "oferta", "offre", "angebot"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_the_same_wherever_it_is_listed() {
        for (at, (concept, words)) in VOCABULARY.iter().enumerate() {
            assert!(VOCABULARY.iter().skip(at + 1).all(|(other, _)| other != concept), "{concept:?} is listed twice");
            assert!(!words.is_empty());
            let twice =
                words.iter().enumerate().find(|(at, word)| words.iter().take(*at).any(|before| before == *word));
            assert_eq!(twice, None, "{concept:?}");
        }
    }
}
